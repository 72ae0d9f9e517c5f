"""A node's snapshot on its disk, from which it decides when it starts without the database.

`contents` is what is in it, `rows` how each thing is written, `sealed` the file, `keeper` the thread that writes it,
`loading` reads it at a start, and `age` says how old it is whatever the wall clock does.
"""
