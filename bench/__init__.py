"""`make bench`: Pesisir and FreeRADIUS on the same machine, loaded in turn by `pesisir bench radius`.

setting.py      who there is: people, phones, routers, secrets; the same for every server
server.py       what a measurement asks of a server
product.py      a throw-away Pesisir, on SQLite or PostgreSQL
freeradius.py   a throw-away FreeRADIUS from Debian, from memory or with its SQL module
postgresql.py   a throw-away PostgreSQL as Debian ships it
usage.py        CPU of a tree of processes, and what machine this is
load.py         one run of the generator
measuring.py    what is measured, and how
growth.py       the same server with more and more people and routers
tables.py       results as Markdown
plot.py         results as SVG
soak.py         `make soak`: an even load for an hour; flatness.py judges it, soak_page.py writes it down
__main__.py     the whole: set up, measure round by round, write down

It stands outside the product, which does not know it. Everything listens on loopback and lives in one folder, which is
removed at the end.
"""
