"""The files of queues: for the head of a line in the format that it takes, and for one router beside its own files."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from app.domain.nases import Family, Nas
from app.domain.uplinks import SiteLine, Uplink
from app.nas import linux_queues, routeros_queues
from app.nas.rendering import render


class HeadFormat(StrEnum):
    """What the head of a line is."""

    LINUX = "linux"
    OPENWRT = "openwrt"
    ROUTEROS = "routeros"


SCRIPT = "pesisir-queues"


def head_files(uplink: Uplink, sites: Sequence[SiteLine], head: HeadFormat) -> Mapping[str, str]:
    """Return what to put on the head of a line, by file name; raise TooManySitesError."""
    title = f"uplink {uplink.name}"
    match head:
        case HeadFormat.LINUX:
            unit = render("queues.service", {"title": title.replace("%", "%%")})
            return {SCRIPT: linux_queues.head_script(uplink, sites), f"{SCRIPT}.service": unit}
        case HeadFormat.OPENWRT:
            init = render("queues.init", {"title": title})
            return {SCRIPT: linux_queues.head_script(uplink, sites), f"{SCRIPT}.init": init}
        case HeadFormat.ROUTEROS:
            return {f"{SCRIPT}.rsc": routeros_queues.head_script(uplink, sites)}


def router_files(nas: Nas, site: SiteLine) -> Mapping[str, str]:
    """Return the queues of a router by file name; none where its site has no ceiling, or it takes none from us."""
    if nas.family is Family.MIKROTIK:
        script, name = routeros_queues.router_script(site), f"{SCRIPT}.rsc"
    else:
        script, name = linux_queues.router_script(site, nas.family), SCRIPT
    return {} if script is None else {name: script}
