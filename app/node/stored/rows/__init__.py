"""How a stored snapshot writes what it holds as JSON rows, and reads them: one module per noun."""
