"""The calls of authmon and BinAuth, as openNDS 9.10 makes them; the lab tests repeat them with the real router."""

import base64
import hashlib
import os
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from app.db import resume
from app.db.engine import Database
from app.db.tables.accounts import accounts
from app.db.tables.changes import changes
from app.db.tables.plans import plans
from app.db.tables.sites import sites
from app.domain.nases import Family, NasSecrets
from app.domain.resume import ResumeGrant
from app.domain.sessions import SessionState
from app.domain.tickets import nonce_beside
from app.nas import opennds, polls
from app.nas.handoff import AwaitPoll, Login, Redirect, Visit
from app.nas.polls import PollAnswer, sign
from app.services import router_grants
from app.services.session_changes import disconnect_session
from app.services.sessions import SessionView, StateFilter, list_sessions
from tests.conftest import counting_chance
from tests.factories import MAC, NOON, make_nas
from tests.rows import add_nas

NAS = make_nas(family=Family.OPENNDS, login_address="10.99.10.1:2050")
ZONE = ZoneInfo("Asia/Makassar")
GATEWAY = hashlib.sha256(b"Gusung%201").hexdigest()
CLIENT_TOKEN = "a93101ce"
HID = hashlib.sha256(CLIENT_TOKEN.encode()).hexdigest()


class Router:
    """openNDS as the portal hears it, at moments that the test chooses."""

    def __init__(self, database: Database, secrets: NasSecrets, login: Login) -> None:
        self.database, self.secrets, self.login = database, secrets, login
        self.now = NOON
        self.chance = counting_chance()

    def log_in(self, hid: str = HID, mac: str = MAC, gateway: str = "Gusung%201", *, await_poll: bool = True) -> str:
        state = {"hid": hid, "gatewayname": gateway, "level": "3" if await_poll else "1"}
        token = opennds.rhid(hid, self.secrets)
        handoff = AwaitPoll(token, 15) if await_poll else Redirect("http://10.99.10.1:2050/", token)
        visit = Visit(mac=mac, ip="10.99.10.194", state=state)
        polls.register(handoff, visit, self.login, NAS, database=self.database, now=self.now, chance=self.chance)
        return token

    def call(self, verb: str, payload: str = "none", **parameters: str) -> PollAnswer:
        encoded = base64.b64encode(payload.encode()).decode()
        return self.answer({"auth_get": verb, "gatewayhash": GATEWAY, "payload": encoded, **parameters})

    def signed(self, verb: str, payload: str) -> PollAnswer:
        return self.answer({"auth_get": verb, "payload": payload, "tag": polls.sign(self.secrets, verb, payload)})

    def answer(self, parameters: dict[str, str]) -> PollAnswer:
        return polls.answer(
            NAS, self.secrets, parameters, database=self.database, now=self.now, zone=ZONE, chance=self.chance
        )

    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def sessions(self) -> tuple[SessionView, ...]:
        return list_sessions(self.database, state=StateFilter.ALL)


@pytest.fixture
def router(database: Database, secrets: NasSecrets, login: Login) -> Router:
    with database.write() as connection:
        connection.execute(insert(plans).values(id="planplanplanplan", name="Warga", created_at=NOON))
        connection.execute(insert(sites).values(id=NAS.site_id, name="Gusung", interim_seconds=60, created_at=NOON))
        add_nas(connection, id=NAS.id, name=NAS.name, site_id=NAS.site_id, family="opennds", address="10.99.20.1/32")
        connection.execute(
            insert(accounts).values(
                id=login.account_id, kind="guest", plan_id="planplanplanplan", version=1, suspended=False,
                created_at=NOON,
            )
        )  # fmt: skip
    return Router(database, secrets, login)


def hid(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_view_lists_what_waits_and_forgets_only_what_was_acknowledged(router: Router) -> None:
    first, second = router.log_in(hid(1)), router.log_in(hid(2), "02:aa:00:00:00:02")
    listed = router.call("view").body
    assert [unquote(entry).split(" ")[0] for entry in listed.split(" ")[1:]] == [first, second]
    assert router.call("view", f"* {first}") == PollAnswer("ack")
    assert [unquote(entry).split(" ")[0] for entry in router.call("view").body.split(" ")[1:]] == [second]


def test_entry_is_what_ndsctl_auth_takes(router: Router) -> None:
    token = router.log_in()
    router.pass_time(61)
    entry = unquote(router.call("view").body.split(" ")[1]).split(" ")
    assert entry[:6] == [token, "59", "2000", "4000", str(62_500_000 // 1024), str(437_500_000 // 1024)]


def test_empty_list_is_a_star(router: Router) -> None:
    assert router.call("view") == PollAnswer("*")
    assert router.call("view", "*") == PollAnswer("ack")


def test_one_poll_carries_at_most_four_entries_of_1024_characters(router: Router) -> None:
    for number in range(6):
        router.log_in(hid(number), f"02:aa:00:00:00:{number:02x}")
    body = router.call("view").body
    assert len(body.split(" ")) == 1 + 4
    assert len(body) <= 2 + 1024


def test_list_takes_every_entry_as_delivered(router: Router) -> None:
    token = router.log_in()
    assert token in router.call("list").body
    assert router.call("list") == PollAnswer("*")
    assert router_grants.is_delivered(router.database, NAS, token)


def test_young_grant_survives_the_clear_of_a_router_that_has_just_started(router: Router) -> None:
    old = router.log_in(hid(1))
    router.pass_time(60)
    young = router.log_in(hid(2), "02:aa:00:00:00:02")
    router.pass_time(5)
    assert router.call("clear") == PollAnswer("")
    body = router.call("view").body
    assert young in body
    assert old not in body


def test_grant_that_nobody_came_for_is_not_given_later(router: Router) -> None:
    router.log_in()
    router.pass_time(301)
    assert router.call("view") == PollAnswer("*")


def test_routers_of_one_nas_get_their_own_phones_only(router: Router) -> None:
    router.log_in(gateway="Gusung%202")
    assert router.call("view") == PollAnswer("*")
    assert router.call("view", gatewayhash=hashlib.sha256(b"Gusung%202").hexdigest()).body != "*"


def test_second_tap_of_the_same_phone_leaves_one_grant(router: Router) -> None:
    assert router.log_in() == router.log_in()
    assert len(router.call("view").body.split(" ")) == 2


def test_acknowledged_grant_is_an_open_session(router: Router) -> None:
    token = router.log_in()
    assert not router_grants.is_delivered(router.database, NAS, token)
    router.call("view", f"* {token}")
    router.call("view", f"* {token}")
    assert router_grants.is_delivered(router.database, NAS, token)
    (session,) = router.sessions()
    assert (session.state, session.device, session.user) == (SessionState.OPEN, MAC, router.login.account_id)
    assert (session.ip, session.flags) == ("10.99.10.194", ())


def resumes(router: Router) -> bool:
    with router.database.read() as connection:
        return resume.of_macs(connection, [MAC], now=router.now)[MAC] != []


def leave_pending(router: Router) -> None:
    """Leave the resume grant that the login leaves."""
    login = router.login
    grant = ResumeGrant(MAC, login.account_id, None, NOON + timedelta(hours=12))
    with router.database.write() as connection:
        resume.keep(connection, "grant1", grant, now=NOON, awaits=nonce_beside(login.acceptance_id))


def test_grant_that_the_router_takes_lets_the_phone_come_back(router: Router) -> None:
    leave_pending(router)
    token = router.log_in()
    assert not resumes(router)
    router.call("view", f"* {token}")
    assert resumes(router)


def test_binauths_question_lets_the_phone_come_back(router: Router) -> None:
    leave_pending(router)
    router.log_in(await_poll=False)
    router.signed("binauth", f"02:aa:00:00:00:02,{CLIENT_TOKEN}")
    assert not resumes(router)
    router.signed("binauth", f"{MAC},{CLIENT_TOKEN}")
    assert resumes(router)


def test_unsigned_call_brings_back_no_phone_that_a_plain_redirect_named(router: Router) -> None:
    leave_pending(router)
    token = router.log_in(await_poll=False)
    router.call("view", f"* {token}")
    assert not resumes(router)


def test_acknowledgement_of_unknown_tokens_changes_nothing(router: Router) -> None:
    assert router.call("view", f"* {'0' * 64} nonsense") == PollAnswer("ack")
    assert router.sessions() == ()


def deauthed(now: datetime, **change: str | int) -> str:
    end = int(now.timestamp())
    values = {
        "method": "client_deauth", "clientmac": MAC, "bytes_incoming": 3_109_039, "bytes_outgoing": 39_044,
        "session_start": end - 90, "session_end": end, "token": CLIENT_TOKEN, "custom": "cmVm", **change,
    }  # fmt: skip
    return ", ".join(f"{name}={value}" for name, value in values.items())


def test_report_of_libopennds_closes_the_session_with_its_octets(router: Router) -> None:
    router.call("view", f"* {router.log_in()}")
    router.pass_time(90)
    for _twice in range(2):
        assert router.call("deauthed", deauthed(router.now)) == PollAnswer("ack")
    (session,) = router.sessions()
    assert (session.state, session.terminate_cause) == (SessionState.CLOSED, "User-Request")
    assert (session.up_octets, session.down_octets, session.session_time) == (39_044, 3_109_039, 90)


def test_unsigned_report_without_the_clients_secret_token_is_refused(router: Router) -> None:
    router.call("view", f"* {router.log_in()}")
    for change in ({"token": "00000000"}, {"token": HID}, {"clientmac": "02:aa:00:00:00:02"}):
        assert router.call("deauthed", deauthed(router.now, **change)).status == HTTPStatus.FORBIDDEN
    assert [session.state for session in router.sessions()] == [SessionState.OPEN]


@pytest.mark.parametrize(
    "change",
    [
        {"method": "client_auth"}, {"method": "deauth"}, {"bytes_incoming": "-1"}, {"bytes_incoming": str(2**43)},
        {"session_end": "٣"}, {"clientmac": "x"}, {"token": ""},
    ],
)  # fmt: skip
def test_report_that_cannot_be_read(router: Router, change: dict[str, str]) -> None:
    router.call("view", f"* {router.log_in()}")
    assert router.call("deauthed", deauthed(router.now, **change)).status == HTTPStatus.BAD_REQUEST


def binauth_report(router: Router, token: str = CLIENT_TOKEN, down: int = 5_000_000) -> PollAnswer:
    end = int(router.now.timestamp())
    return router.signed("departed", f"timeout_deauth,{MAC},{down},1000,{end - 60},{end},{token}")


def test_binauth_is_told_the_limits_and_its_question_opens_the_session(router: Router) -> None:
    router.log_in(await_poll=False)
    question = f"{MAC},{CLIENT_TOKEN}"
    limits, _space, tag = router.signed("binauth", question).body.rpartition(" ")
    assert limits == f"3600 2000 4000 {62_500_000 // 1024} {437_500_000 // 1024}"
    assert tag == polls.sign(router.secrets, "admit", f"{question}:{limits}")
    assert [session.state for session in router.sessions()] == [SessionState.OPEN]


@pytest.mark.parametrize(
    ("mac", "token", "wait"),
    [
        pytest.param("02:aa:00:00:00:02", CLIENT_TOKEN, 0, id="a grant that was talked out of us for another mac"),
        pytest.param(MAC, "00000000", 0, id="another token"),
        pytest.param(MAC, CLIENT_TOKEN, 301, id="too late"),
    ],
)
def test_binauth_is_told_no(router: Router, mac: str, token: str, wait: int) -> None:
    router.log_in(await_poll=False)
    router.pass_time(wait)
    assert router.signed("binauth", f"{mac},{token}") == PollAnswer("no", HTTPStatus.FORBIDDEN)
    assert router.sessions() == ()


@pytest.mark.parametrize("verb", ["binauth", "departed", "counters"])
def test_call_with_another_tag_is_refused(router: Router, verb: str) -> None:
    router.log_in(await_poll=False)
    for tag in ("", "0" * 64, polls.sign(replace(router.secrets, portal="another"), verb, f"{MAC},{CLIENT_TOKEN}")):
        answer = router.answer({"auth_get": verb, "payload": f"{MAC},{CLIENT_TOKEN}", "tag": tag})
        assert answer.status == HTTPStatus.FORBIDDEN


def test_signed_report_closes_the_session(router: Router) -> None:
    router.log_in(await_poll=False)
    router.signed("binauth", f"{MAC},{CLIENT_TOKEN}")
    router.pass_time(60)
    assert binauth_report(router) == PollAnswer("ack")
    (session,) = router.sessions()
    assert (session.state, session.down_octets, session.up_octets) == (SessionState.CLOSED, 5_000_000, 1000)
    assert session.terminate_cause == "Session-Timeout"


def test_counters_move_an_open_session_on(router: Router) -> None:
    router.log_in(await_poll=False)
    router.signed("binauth", f"{MAC},{CLIENT_TOKEN}")
    router.pass_time(60)
    end = int(router.now.timestamp())
    assert router.signed("counters", f"{MAC},3036,38,{end - 60},{end},{CLIENT_TOKEN}") == PollAnswer("ack")
    (session,) = router.sessions()
    assert (session.state, session.down_octets, session.up_octets) == (SessionState.OPEN, 3036 * 1024, 38 * 1024)


def test_answer_to_counters_ends_a_session_that_is_to_end(router: Router) -> None:
    router.log_in(await_poll=False)
    router.signed("binauth", f"{MAC},{CLIENT_TOKEN}")
    (session,) = router.sessions()
    disconnect_session(
        router.database, session.id, reason="salah perangkat", author="admin", now=router.now, chance=os.urandom
    )
    with router.database.write() as connection:
        connection.execute(update(changes).values(state="waiting"))  # the dispatcher has seen whose router it is
    router.pass_time(60)
    end = int(router.now.timestamp())
    report = f"{MAC},3036,38,{end - 60},{end},{CLIENT_TOKEN}"
    assert router.signed("counters", report) == PollAnswer(f"cut {sign(router.secrets, 'cut', report)}")
    other = report.replace(MAC, "02:aa:00:00:00:77")
    assert router.signed("counters", other) == PollAnswer("ack")
    binauth_report(router)
    assert router.signed("counters", report) == PollAnswer("ack")


def test_session_that_the_router_brought_back_is_charged_to_the_same_account(router: Router) -> None:
    router.call("view", f"* {router.log_in()}")
    router.pass_time(600)
    assert binauth_report(router, token="ffffffff", down=7) == PollAnswer("ack")
    assert [(s.user, s.down_octets) for s in router.sessions() if s.state is SessionState.CLOSED] == [
        (router.login.account_id, 7)
    ]


def test_phone_that_nobody_let_in_is_recorded_and_charged_to_nobody(router: Router) -> None:
    assert binauth_report(router) == PollAnswer("ack")
    (session,) = router.sessions()
    assert (session.user, session.flags) == (None, ("unmatched",))


def test_wrong_clock_of_the_router_moves_no_session_into_another_year(router: Router) -> None:
    router.call("view", f"* {router.log_in()}")
    router.call("deauthed", deauthed(router.now, session_start=100, session_end=160))
    (session,) = router.sessions()
    assert session.ended_at == router.now
    assert session.session_time == 60


@given(parameters=st.dictionaries(st.sampled_from(["auth_get", "gatewayhash", "payload", "tag"]), st.text(max_size=60)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_call_is_answered(router: Router, parameters: dict[str, str]) -> None:
    assert router.answer(parameters).status in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN)


@given(
    verb=st.sampled_from(["clear", "view", "list", "deauthed", "custom", "binauth", "departed", "counters"]),
    payload=st.text(max_size=200) | st.from_regex(r"[a-z_]{0,14}(,[0-9a-f:]{0,17}){0,7}", fullmatch=True),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_payload_is_answered(router: Router, verb: str, payload: str) -> None:
    router.call(verb, payload)
    router.signed(verb, payload)
