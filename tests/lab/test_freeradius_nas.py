"""FreeRADIUS 3.2.1 of Debian as the router: it verifies what we send, and answers with ACK, NAK and Error-Cause."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import pytest

from app.db.engine import Database
from app.domain.nases import Family
from app.services.keyring import Keyring
from tests.flows.dispatching import QUICK, Lab, Ports, reaches
from tests.flows.serving import free_udp_ports
from tests.lab.conftest import demand
from tests.lab.freeradius import MAIN
from tests.lab.topology import stop, wait_for
from tests.node.city import SECRET
from tests.node.journals import until

pytestmark = pytest.mark.lab

_CONFIGURATION: Final = (
    MAIN
    + """client pesisir {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
    require_message_authenticator = yes
}}
modules {{
    always reject {{
        rcode = reject
    }}
    always ok {{
        rcode = ok
    }}
    always handled {{
        rcode = handled
    }}
}}
server router {{
    listen {{
        type = coa
        ipaddr = 127.0.0.1
        port = {port}
    }}
    recv-coa {{
        if (&User-Name =~ /^cause-([0-9]+)$/) {{
            update reply {{
                &Error-Cause := "%{{1}}"
            }}
            reject
        }}
        elsif (&User-Name =~ /^coa-cause-([0-9]+)$/ && &Packet-Type == CoA-Request) {{
            update reply {{
                &Error-Cause := "%{{1}}"
            }}
            reject
        }}
        elsif (&User-Name == "nak") {{
            reject
        }}
        elsif (&User-Name == "silent") {{
            handled
        }}
        else {{
            ok
        }}
    }}
    send-coa {{
        ok
    }}
}}
"""
)


class Router:
    """One server that is a router."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = free_udp_ports(1)
        self._log = folder / "talk.log"
        folder.mkdir()
        (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n", encoding="ascii")
        text = _CONFIGURATION.format(proxies="no", folder=folder, secret=SECRET, port=self.port)
        (folder / "radiusd.conf").write_text(text, encoding="ascii")
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                ["freeradius", "-f", "-x", "-x", "-l", "stdout", "-d", str(folder)], stdout=out, stderr=out
            )

    def __enter__(self) -> Self:
        try:
            wait_for("FreeRADIUS", lambda: "Ready to process requests" in self.talk(), log=self._log)
        except BaseException:
            stop(self._process)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        stop(self._process)

    def talk(self) -> str:
        """Return what it has said."""
        return self._log.read_text(errors="replace")

    def received(self, code: str) -> list[dict[str, str]]:
        """Return the attributes of each request of a code."""
        parts = re.findall(rf"\) Received {code} .*?\n((?:\(\d+\)   .*\n)+)", self.talk())
        return [dict(re.findall(r"\)   (\S+) = \"?([^\"\n]*)", part)) for part in parts]


@pytest.fixture
def router(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Router]:
    demand(request, "freeradius")
    with Router(tmp_path / "router") as made:
        yield made


@pytest.fixture
def lab(sqlite_database: Database, keyring: Keyring) -> Iterator[Lab]:
    ports = Ports()
    yield Lab(sqlite_database, keyring, ports)
    ports.close()


def test_full_set_arrives_as_it_was_meant_and_is_agreed_to(lab: Lab, router: Router) -> None:
    who = lab.online(Family.COOVACHILLI, port=router.port, user_name="siti")
    lab.hold_down(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "acknowledged", "coa"))
    (said,) = router.received("CoA-Request")
    stamp, signature = said.pop("Event-Timestamp"), said.pop("Message-Authenticator")
    assert stamp
    assert signature.startswith("0x")
    interim = int(said.pop("Acct-Interim-Interval"))
    assert 60 <= interim <= 66
    assert said == {
        "User-Name": "siti",
        "Acct-Session-Id": "80100001",
        "WISPr-Bandwidth-Max-Down": "512000",
        "WISPr-Bandwidth-Max-Up": "256000",
        "ChilliSpot-Max-Total-Octets": "1000000",
        "Attr-26.14559.23": "0x00000000",  # the gigawords, which its dictionary lacks
    }


@pytest.mark.parametrize(
    ("name", "state", "result"),
    [
        pytest.param("siti", "done", "acknowledged", id="agreed"),
        pytest.param("nak", "failed", "refused:0", id="a7_05 no cause"),
        pytest.param("cause-401", "failed", "refused:401", id="a7_05 attribute"),
        pytest.param("cause-403", "failed", "refused:403", id="a7_05 configuration"),
        pytest.param("cause-503", "done", "no_session", id="a7_05 no session"),
        pytest.param("cause-504", "pending", "later:504", id="a7_05 not now"),
        pytest.param("silent", "unknown", "silent", id="a7_06 silence"),
    ],
)
def test_answer_to_a_disconnect_leads_to_its_state(
    lab: Lab, router: Router, name: str, state: str, result: str
) -> None:
    who = lab.online(Family.GENERIC, port=router.port, user_name=name)
    lab.end(who)
    with lab.dispatching(QUICK if name == "silent" else None):
        until(reaches(lab, who, state, result, "disconnect"))
    assert {tuple(sorted(said)) for said in router.received("Disconnect-Request")} == {
        ("Acct-Session-Id", "Event-Timestamp", "Message-Authenticator", "NAS-IP-Address", "NAS-Identifier", "User-Name")
    }


def test_a7_07_refused_change_becomes_a_disconnect(lab: Lab, router: Router) -> None:
    who = lab.online(Family.MIKROTIK, port=router.port, user_name="coa-cause-405")
    lab.hold_down(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "acknowledged", "resume"))
    assert [said["Mikrotik-Rate-Limit"] for said in router.received("CoA-Request")] == ["256000/512000"]
    assert len(router.received("Disconnect-Request")) == 1
