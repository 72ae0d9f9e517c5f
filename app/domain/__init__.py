"""The rules, as plain Python: no I/O, no clock, no chance; all that a rule needs comes in, all it decides goes out."""
