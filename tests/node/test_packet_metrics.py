"""A10.03: the counters of RFC 4669 and RFC 4671, for Prometheus."""

from collections.abc import Callable

import pytest

from app.packet_metrics import NOBODY, packet_metrics
from radius.backend import Service
from radius.counters import Counters, NasCounters, PortCounters
from radius.errors import DropReason

NAMES = {"nasanasanasanasa": "gusung-1"}
NAS_ID = "nasanasanasanasa"


def values(counters: Counters, name: str) -> dict[str, float]:
    """Return one family by NAS."""
    family = next(family for family in packet_metrics("radius-0", counters, NAMES) if family.name == name)
    return {sample.labels["nas"]: sample.value for sample in family.samples}


@pytest.mark.parametrize(
    ("service", "reason", "name"),
    [
        pytest.param(Service.AUTH, DropReason.MALFORMED, "radius_auth_serv_malformed_access_requests", id="malformed"),
        pytest.param(Service.AUTH, DropReason.BAD_LENGTH, "radius_auth_serv_malformed_access_requests", id="length"),
        pytest.param(
            Service.AUTH, DropReason.BAD_MESSAGE_AUTHENTICATOR, "radius_auth_serv_bad_authenticators", id="bad MA"
        ),
        pytest.param(
            Service.AUTH, DropReason.MISSING_MESSAGE_AUTHENTICATOR, "radius_auth_serv_packets_dropped", id="missing MA"
        ),
        pytest.param(Service.AUTH, DropReason.BAD_CODE, "radius_auth_serv_unknown_types", id="unknown type"),
        pytest.param(
            Service.AUTH, DropReason.DUPLICATE_IN_PROGRESS, "radius_auth_serv_dup_access_requests", id="duplicate"
        ),
        pytest.param(Service.AUTH, DropReason.OVERLOAD, "radius_auth_serv_packets_dropped", id="overload"),
        pytest.param(
            Service.ACCT, DropReason.BAD_AUTHENTICATOR, "radius_acc_serv_bad_authenticators", id="acct secret"
        ),
        pytest.param(Service.ACCT, DropReason.TOO_SHORT, "radius_acc_serv_malformed_requests", id="acct malformed"),
        pytest.param(Service.ACCT, DropReason.NOT_STORED, "radius_acc_serv_packets_dropped", id="not stored"),
        pytest.param(Service.ACCT, DropReason.NOT_STORED, "radius_acc_serv_no_records", id="no record"),
    ],
)
def test_a10_03_each_drop_is_in_the_counter_of_its_rfc(service: Service, reason: DropReason, name: str) -> None:
    counters = Counters()
    counters.drop(NAS_ID, service, reason)
    assert values(counters, name)["gusung-1"] == 1


DROPPED = {
    Service.AUTH: ("dup_access_requests", "malformed_access_requests"),
    Service.ACCT: ("dup_requests", "malformed_requests"),
}


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("reason", DropReason)
def test_a10_03_each_reason_is_counted_by_one_object_of_the_mib_alone(service: Service, reason: DropReason) -> None:
    counters = Counters()
    counters.drop(None if reason is DropReason.UNKNOWN_NAS else NAS_ID, service, reason)
    prefix = "radius_auth_serv" if service is Service.AUTH else "radius_acc_serv"
    names = (*DROPPED[service], "bad_authenticators", "unknown_types", "packets_dropped", "invalid_requests")
    assert sum(sum(values(counters, f"{prefix}_{name}").values()) for name in names) == 1


def test_a10_03_requests_and_duplicates_count_what_was_answered_again() -> None:
    counters = Counters()
    counters.by_nas[NAS_ID] = NasCounters(access_requests=5, auth=PortCounters(repeated_replies=2))
    counters.drop(NAS_ID, Service.AUTH, DropReason.DUPLICATE_IN_PROGRESS)
    assert values(counters, "radius_auth_serv_access_requests") == {NOBODY: 0, "gusung-1": 8}
    assert values(counters, "radius_auth_serv_dup_access_requests") == {"gusung-1": 3}


def test_a10_03_strangers_are_one_series_however_many_they_are() -> None:
    counters = Counters()
    for _ in range(3):
        counters.drop(None, Service.AUTH, DropReason.UNKNOWN_NAS)
    assert values(counters, "radius_auth_serv_invalid_requests") == {NOBODY: 3}
    assert values(counters, "radius_auth_serv_access_requests") == {NOBODY: 3}


def test_every_reason_is_published_before_it_occurs() -> None:
    family = next(f for f in packet_metrics("radius-0", Counters(), NAMES) if f.name == "pesisir_radius_drops")
    found = {(sample.labels["service"], sample.labels["reason"]) for sample in family.samples}
    assert found == {(service.value, reason.value) for service in Service for reason in DropReason}


def test_drop_is_published_with_nas_port_and_reason() -> None:
    counters = Counters()
    counters.drop(NAS_ID, Service.ACCT, DropReason.BAD_AUTHENTICATOR)
    family = next(f for f in packet_metrics("radius-0", counters, NAMES) if f.name == "pesisir_radius_drops")
    assert [sample.labels for sample in family.samples if sample.value] == [
        {"process": "radius-0", "nas": "gusung-1", "service": "acct", "reason": "bad_authenticator"}
    ]


@pytest.mark.parametrize(
    "fill",
    [
        pytest.param(lambda nas: setattr(nas, "accepts", 7), id="accepts"),
        pytest.param(lambda nas: setattr(nas, "rejects", 7), id="rejects"),
        pytest.param(lambda nas: setattr(nas, "challenges", 7), id="challenges"),
        pytest.param(lambda nas: setattr(nas, "accounting_responses", 7), id="responses"),
        pytest.param(lambda nas: setattr(nas.auth, "status_requests", 7), id="status asked"),
        pytest.param(lambda nas: setattr(nas.acct, "status_replies", 7), id="status answered"),
        pytest.param(lambda nas: setattr(nas, "refused_methods", 7), id="refused methods"),
        pytest.param(lambda nas: setattr(nas, "older_secret_last_used_at", 7.0), id="c5_12 older secret"),
        pytest.param(lambda nas: setattr(nas, "unbuildable", 7), id="unbuildable"),
        pytest.param(lambda nas: setattr(nas, "unsigned", 7), id="unsigned"),
        pytest.param(lambda nas: setattr(nas, "downgrades", 7), id="downgrades"),
        pytest.param(lambda nas: setattr(nas, "identifier_mismatches", 7), id="identifier mismatches"),
        pytest.param(lambda nas: setattr(nas, "address_mismatches", 7), id="a1_16 address mismatches"),
        pytest.param(lambda nas: setattr(nas, "nameless", 7), id="a1_15 nameless"),
    ],
)
def test_whatever_is_counted_of_a_nas_is_published(fill: Callable[[NasCounters], None]) -> None:
    counters = Counters()
    fill(counters.by_nas[NAS_ID])
    families = packet_metrics("radius-0", counters, NAMES)
    assert 7 in {sample.value for family in families for sample in family.samples}
