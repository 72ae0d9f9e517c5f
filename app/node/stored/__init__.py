"""A node's snapshot on its disk, from which it decides when it starts without the database.

`contents` is what is in it, `sealed` the file, `keeper` the thread that writes it, `loading` reads it at a start, and
`age` says how old it is whatever the wall clock does.
"""
