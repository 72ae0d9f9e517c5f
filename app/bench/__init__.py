"""The load generator behind `pesisir bench`: what many routers send, and whether each answer is the right one.

kinds.py        what can be sent, and how a password is
people.py       of whom the requests speak: names, passwords, devices
writing.py      signed Access- and Accounting-Requests, ready to leave
lanes.py        a socket with its prepared requests, in batches out and in
loop.py         the hot loop: a window or a rate, retransmission like a router's; keeps every answer unread
sessions.py     a session after its Accept: Accounting with the Class that came
judging.py      afterwards: every kept answer verified and held against what was expected
summary.py      figures from that, and medians of rounds
processes.py    what a process of this machine has used
rounds.py       all of it together, round by round
"""
