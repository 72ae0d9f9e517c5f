"""FreeRADIUS 3.2.1 of Debian beside us: the same people, the same secret, the same octets, compared answer by answer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from shutil import copyfile

import pytest

from app.db.engine import open_database
from app.domain.nases import Demand, Family
from app.services import nases
from app.services.keyring import Keyring
from radius.codes import Code
from radius.packet import Packet
from tests.flows.serving import Installation
from tests.lab.conftest import demand
from tests.lab.freeradius import Client, FreeRadius
from tests.lab.pair import Answer, Case, Outcome, converse
from tests.lab.radius_cases import LIMITING, PEOPLE, PPP, SITI, STRICT, TRUSTING, cases, one
from tests.lab.wire import SECRET, ms_chap, ms_chap_attributes, name, request
from tests.node.city import City
from tests.radius.support import reveal_key

pytestmark = pytest.mark.lab
ROUTERS = {TRUSTING: (Demand.NO, Demand.NO), STRICT: (Demand.YES, Demand.YES), LIMITING: (Demand.NO, Demand.YES)}
DOMAIN = "BONTANG\\"  # FreeRADIUS looks for the name as it is, so it has an entry of its own there


@dataclass(frozen=True)
class Heard:
    """What one case has led to on both sides, request by request."""

    case: Case
    ours: Sequence[Answer | None]
    theirs: Sequence[Answer | None]

    @property
    def both(self) -> list[tuple[Answer, Answer]]:
        """Return the pairs of answers to the same request."""
        return [(a, b) for a, b in zip(self.ours, self.theirs, strict=True) if a is not None and b is not None]


@dataclass(frozen=True)
class Pair:
    ours: Installation
    theirs: FreeRadius

    def hear(self, asked: Sequence[Case]) -> list[Heard]:
        ours, theirs = converse(
            asked,
            lambda case: self.ours.acct_port if case.accounting else self.ours.auth_port,
            lambda case: self.theirs.acct_port if case.accounting else self.theirs.auth_port,
        )
        return [Heard(case, ours[case.name], theirs[case.name]) for case in asked]


@pytest.fixture(scope="module")
def pair(
    request: pytest.FixtureRequest,
    migrated_sqlite_file: Path,
    keyring: Keyring,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    demand(request, "freeradius")
    folder = tmp_path_factory.mktemp("pair")
    copyfile(migrated_sqlite_file, folder / "pesisir.db")
    database = open_database(f"sqlite:///{folder / 'pesisir.db'}")
    city = City(database, keyring)
    city.time.at = datetime.now(UTC)
    for address, (message, proxy) in ROUTERS.items():
        city.add_nas(address, family=Family.GENERIC, address=address)
        demands = nases.NasValues(require_message_authenticator=message, limit_proxy_state=proxy)
        nases.set_nas(database, keyring, address, now=city.time.at, **demands)
    for user, password in PEOPLE.items():
        city.add_user(user, password)
    clients = [Client(address, SECRET.decode(), message is Demand.YES) for address, (message, _) in ROUTERS.items()]
    people = {**PEOPLE, f"{DOMAIN}siti": SITI}
    ours = Installation(database, folder / "var")
    with FreeRadius(folder / "freeradius", clients, people) as theirs, ours.running("radius", "0", "--status"):
        yield Pair(ours, theirs)
    database.close()


@pytest.fixture(scope="module")
def heard(pair: Pair) -> list[Heard]:
    table = cases()
    # Conversations first, by themselves: FreeRADIUS remembers an answer for five seconds.
    several = [case for case in table if len(case.requests) > 1]
    return pair.hear(several) + pair.hear([case for case in table if len(case.requests) == 1])


def outcomes(answers: Sequence[Answer | None]) -> list[Outcome]:
    return [Outcome.SILENCE if answer is None else answer.outcome for answer in answers]


def test_table_is_wide_and_every_difference_names_its_rule() -> None:
    table = cases()
    assert len(table) >= 150
    assert {outcome for case in table for outcome in case.ours} == set(Outcome)
    assert [case.name for case in table if case.why and not re.match(r"\[A\d+\.\d\d\] \S", case.why)] == []
    assert sum(bool(case.why) for case in table) < len(table) / 10


def test_every_request_is_answered_alike_or_the_table_says_why_not(heard: list[Heard]) -> None:
    """For each request: an Accept, a Reject, an Accounting-Response, or silence."""
    said = {one.case.name: (outcomes(one.ours), outcomes(one.theirs)) for one in heard}
    assert said == {
        one.case.name: (list(one.case.expected(of_us=True)), list(one.case.expected(of_us=False))) for one in heard
    }


def test_a4_01_every_answer_is_signed_as_its_request_asks(heard: list[Heard]) -> None:
    forged = [
        one.case.name
        for one in heard
        for answer in (*one.ours, *one.theirs)
        if answer is not None and not answer.authentic
    ]
    assert forged == []


def test_a2_07_our_answers_have_message_authenticator_first_and_accounting_responses_none(heard: list[Heard]) -> None:
    ours = [answer for one in heard for answer in one.ours if answer is not None]
    to_accounting = {answer.packet.signature_at for answer in ours if answer.request[0] == Code.ACCOUNTING_REQUEST}
    assert to_accounting == {0}
    others = {answer.packet.signature_at for answer in ours if answer.request[0] != Code.ACCOUNTING_REQUEST}
    assert others == {22}


def test_a4_03_both_give_back_every_proxy_state_in_order(heard: list[Heard]) -> None:
    asked = given = 0
    for met in heard:
        for ours, theirs in met.both:
            states = Packet.parse(ours.request).attributes.every(33)
            assert (ours.proxy_states, theirs.proxy_states) == (states, states), met.case.name
            asked, given = asked + bool(states), given + len(states)
    assert asked >= 25
    assert given >= 80


def test_a6_03_accounting_responses_have_nothing_else(heard: list[Heard]) -> None:
    for met in heard:
        for answer in (*met.ours, *met.theirs):
            if answer is not None and answer.request[0] == Code.ACCOUNTING_REQUEST:
                assert set(answer.packet.attributes.numbers()) <= {33}, met.case.name


def test_a3_08_our_rejects_carry_nothing_but_what_they_may(heard: list[Heard]) -> None:
    rejects = [answer for one in heard for answer in one.ours if outcomes([answer]) == [Outcome.REJECT]]
    names = {name for answer in rejects if answer is not None for name, _ in answer.packet.attributes}
    assert names == {"Message-Authenticator", "Proxy-State", "MS-CHAP-Error", "EAP-Message"}


def test_a5_01_copies_get_the_same_octets_from_both(heard: list[Heard]) -> None:
    repeated = [met for met in heard if met.case.same_octets]
    assert len(repeated) >= 5
    for met in repeated:
        for answers in (met.ours, met.theirs):
            assert len({answer.octets for answer in answers if answer is not None}) == 1, met.case.name


# MS-CHAPv2: what is inside


@pytest.fixture(scope="module")
def logins(pair: Pair) -> list[Heard]:
    """Return logins by MS-CHAPv2 with idents and challenges by chance, half of them with a wrong password."""
    chance = Random(2759)
    asked = []
    for user, password in {**PEOPLE, f"{DOMAIN}siti": SITI}.items():
        for turn in range(6):
            right = turn % 2 == 0
            response = ms_chap(user, password if right else password + "?", ident=chance.randrange(256), chance=chance)
            octets = request(name(user), ms_chap_attributes(*response), PPP, chance=chance, sign=turn < 3)
            asked.append(one(f"{user} {turn}", octets, Outcome.ACCEPT if right else Outcome.REJECT))
    return pair.hear(asked)


def test_a3_03_both_accept_and_reject_the_same_logins(logins: list[Heard]) -> None:
    for met in logins:
        assert outcomes(met.ours) == outcomes(met.theirs) == list(met.case.ours), met.case.name


def test_a3_03_both_prove_the_password_by_the_same_octets(logins: list[Heard]) -> None:
    accepted = [pair for one in logins for pair in one.both if pair[0].outcome is Outcome.ACCEPT]
    assert len(accepted) == 3 * (len(PEOPLE) + 1)
    for ours, theirs in accepted:
        proofs = [answer.packet.attributes.all_octets("MS-CHAP2-Success") for answer in (ours, theirs)]
        assert proofs[0] == proofs[1]
        assert [len(proof) for proof in proofs[0]] == [43]


@pytest.mark.parametrize("name", ["MS-MPPE-Send-Key", "MS-MPPE-Recv-Key"])
def test_a4_10_both_hide_the_same_keys(logins: list[Heard], name: str) -> None:
    for met in logins:
        for pair in met.both:
            if pair[0].outcome is Outcome.ACCEPT:
                hidden = [answer.packet.attributes.all_octets(name) for answer in pair]
                keys = [[reveal_key(SECRET, pair[0].request[4:20], whole) for whole in wholes] for wholes in hidden]
                assert keys[0] == keys[1]
                assert [len(key) for key in keys[0]] == [16]


@pytest.mark.parametrize("name", ["MS-MPPE-Encryption-Policy", "MS-MPPE-Encryption-Types"])
def test_both_allow_the_same_encryption(logins: list[Heard], name: str) -> None:
    said = {
        (ours.packet.attributes.integer(name), theirs.packet.attributes.integer(name))
        for one in logins
        for ours, theirs in one.both
        if ours.outcome is Outcome.ACCEPT
    }
    assert len(said) == 1
    assert len(set(said.pop())) == 1


def test_a3_03_both_give_the_same_error_under_the_ident_of_the_response(logins: list[Heard]) -> None:
    form = re.compile(rb"(.E=691 R=0 C=)[0-9A-Fa-f]{32}( V=3 M=).+", re.DOTALL)
    rejected = [pair for one in logins for pair in one.both if pair[0].outcome is Outcome.REJECT]
    assert len(rejected) == 3 * (len(PEOPLE) + 1)
    for pair in rejected:
        errors = [form.fullmatch(answer.packet.attributes.octets("MS-CHAP-Error") or b"") for answer in pair]
        assert errors[0] is not None
        assert errors[1] is not None
        assert errors[0].groups() == errors[1].groups()
