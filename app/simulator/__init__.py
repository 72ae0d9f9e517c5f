"""A simulated hotspot that speaks to the product only as a router does: HTTP to phones, RADIUS over UDP.

router.py         one island's router: power, hosts, log-in, accounting, what it tells and is told
sessions.py       one session: limits, counters, why it ends; no I/O, no clock
coa.py            the port for Disconnect- and CoA-Requests
manners.py        how each family takes them
hotspot.py        the router's web side: interception, /login, /logout, /status
servlets.py       the pages of the hotspot folder, filled in as the router does
http.py           just enough HTTP/1.1 for that, on asyncio streams
island.py         a place with a router: what comes up with the power and falls silent without it
browser.py        a phone's browser: pages, redirects, forms as they were served
phones.py         how a phone comes online: by itself, or through the splash page
residents.py      who lives where, how they log in, what they use
city.py           routers and residents together: their days, and the power
storm.py          the evening: every phone at once, and how long that takes
"""
