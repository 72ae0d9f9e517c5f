"""The URLs by which phones find out whether they are online: they lead to the portal, never to a success body.

Hosts: nobody wants to go there, so the pages do not offer to continue to them. Paths: asked of us under those hosts'
names when a router sends all web traffic here (standards B2.01).
"""

from typing import Final

PATHS: Final = frozenset(
    {
        "/generate_204",
        "/gen_204",
        "/hotspot-detect.html",
        "/library/test/success.html",
        "/connecttest.txt",
        "/redirect",
        "/ncsi.txt",
        "/success.txt",
        "/canonical.html",
        "/check_network_status.txt",
    }
)

HOSTS: Final = frozenset(
    {
        "captive.apple.com",
        "www.apple.com",
        "connectivitycheck.gstatic.com",
        "connectivitycheck.android.com",
        "clients3.google.com",
        "www.google.com",
        "play.googleapis.com",
        "www.msftconnecttest.com",
        "www.msftncsi.com",
        "detectportal.firefox.com",
        "connectivity.samsung.com.cn",
        "connect.rom.miui.com",
        "connectivitycheck.platform.hicloud.com",
        "conn-service-eu-04.allawnos.com",
    }
)
