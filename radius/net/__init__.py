"""The only I/O of the package: sockets, clocks, chance."""
