"""What each NAS sent and got, under the names of RFC 4669 (authentication) and RFC 4671 (accounting) for Prometheus.

`radiusAuthServExtAccessAccepts` of the MIB is `radius_auth_serv_access_accepts_total{nas="gusung-1"}` here. What the
MIBs do not know, every reason for a drop among it, begins with `pesisir_`. A series is named after a registered NAS,
and all that is nobody's is one, so strangers cannot make any.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from radius.backend import Service
from radius.counters import Counters, NasCounters
from radius.errors import DropReason
from radius.net.buffers import ReceiveBuffer

NOBODY: Final = ""  # the `nas` of what came from no NAS, or from one of several behind an address

_MALFORMED: Final = (
    DropReason.TOO_SHORT,
    DropReason.BAD_LENGTH,
    DropReason.MALFORMED,
    DropReason.TOO_MANY_ATTRIBUTES,
    DropReason.REPEATED_ATTRIBUTE,
    DropReason.MIXED_CREDENTIALS,
)
_BAD_AUTHENTICATORS: Final = (DropReason.BAD_AUTHENTICATOR, DropReason.BAD_MESSAGE_AUTHENTICATOR)
_DUPLICATES: Final = (DropReason.DUPLICATE_IN_PROGRESS,)
_UNKNOWN_TYPES: Final = (DropReason.BAD_CODE,)
_INVALID: Final = (DropReason.UNKNOWN_NAS,)
_COUNTED_APART: Final = {*_MALFORMED, *_BAD_AUTHENTICATORS, *_DUPLICATES, *_UNKNOWN_TYPES, *_INVALID}
_OTHERWISE: Final = tuple(reason for reason in DropReason if reason not in _COUNTED_APART)

# Which MIB object each is, what it counts, and the attribute or the drops that it is made of.
_AUTH: Final = (
    ("access_accepts", "Access-Accepts sent", "accepts"),
    ("access_rejects", "Access-Rejects sent", "rejects"),
    ("access_challenges", "Access-Challenges sent", "challenges"),
)
_ACCT: Final = (("responses", "Accounting-Responses sent", "accounting_responses"),)
_PORTS: Final = (
    (Service.AUTH, "radius_auth_serv", ("access_requests", "dup_access_requests", "malformed_access_requests"), _AUTH),
    (Service.ACCT, "radius_acc_serv", ("requests", "dup_requests", "malformed_requests"), _ACCT),
)
_OWN: Final = (
    ("refused_methods", "Rejects for EAP or MS-CHAPv1, which are not spoken, or for a credential of impossible shape"),
    ("unbuildable", "Accepts that did not fit a packet and went as Rejects"),
    ("unsigned", "Access-Requests without Message-Authenticator that were taken"),
    ("downgrades", "unsigned Access-Requests from a NAS that has signed before"),
    ("identifier_mismatches", "requests whose NAS-Identifier is not the registered one"),
    ("address_mismatches", "requests whose NAS-IP-Address is none of the registered ones"),
    ("nameless", "requests with neither NAS-Identifier nor NAS-IP-Address nor NAS-IPv6-Address"),
)


def packet_metrics(process: str, counters: Counters, names: Mapping[str, str]) -> Iterator[Metric]:
    """Yield what a server has counted; `names` has the name of each registered NAS by id, others are left out."""
    known = {names[nas_id]: counted for nas_id, counted in list(counters.by_nas.items()) if nas_id in names}
    everybody = {NOBODY: counters.nobody, **known}
    for service, prefix, words, replies in _PORTS:
        yield from _port(process, everybody, service, prefix, words)
        for name, text, counter in replies:
            values = {nas: getattr(counted, counter) for nas, counted in known.items()}
            yield _family(process, f"{prefix}_{name}", text, values)
    no_records = {nas: counted.acct.drops.get(DropReason.NOT_STORED, 0) for nas, counted in known.items()}
    yield _family(
        process, "radius_acc_serv_no_records", "Accounting-Requests not stored, and so not acknowledged", no_records
    )
    yield from _status(process, known)
    for name, text in _OWN:
        yield _family(
            process, f"pesisir_radius_{name}", text, {nas: getattr(counted, name) for nas, counted in known.items()}
        )
    yield _older_secrets(process, known)
    yield _drops(process, everybody)


def buffer_metrics(process: str, buffers: list[tuple[Service, ReceiveBuffer]]) -> Iterator[Metric]:
    """Yield how the kernel's receive buffers stand, joined by service."""
    labels = ["process", "service"]
    dropped = CounterMetricFamily("pesisir_radius_kernel_drops", "datagrams the kernel had no room for", labels=labels)
    waiting = GaugeMetricFamily("pesisir_radius_receive_buffer_waiting_octets", "octets that wait there", labels=labels)
    size = GaugeMetricFamily("pesisir_radius_receive_buffer_octets", "octets that there is room for", labels=labels)
    for service in Service:
        mine = [buffer for of, buffer in buffers if of is service]
        if mine:
            where = [process, service.value]
            dropped.add_metric(where, sum(buffer.dropped for buffer in mine))
            waiting.add_metric(where, sum(buffer.waiting for buffer in mine))
            size.add_metric(where, sum(buffer.size for buffer in mine))
    yield from (dropped, waiting, size)


def _port(
    process: str, everybody: Mapping[str, NasCounters], service: Service, prefix: str, words: tuple[str, str, str]
) -> Iterator[Metric]:
    requests, duplicates, malformed = words
    known = {nas: counted for nas, counted in everybody.items() if nas != NOBODY}
    received = {nas: counted.received(service) for nas, counted in everybody.items()}
    yield _family(process, f"{prefix}_{requests}", "datagrams on this port, whatever became of them", received)
    repeated = {nas: counted.port(service).repeated_replies for nas, counted in known.items()}
    again = {nas: repeated[nas] + count for nas, count in _dropped(known, service, _DUPLICATES).items()}
    yield _family(process, f"{prefix}_{duplicates}", "copies of requests that were known already", again)
    strangers = {NOBODY: everybody[NOBODY]}
    for name, text, reasons, whose in (
        (malformed, "datagrams that are no valid request", _MALFORMED, everybody),
        ("bad_authenticators", "wrong authenticators: a wrong secret, or forged", _BAD_AUTHENTICATORS, everybody),
        ("unknown_types", "packets of a code that this port does not take", _UNKNOWN_TYPES, everybody),
        ("packets_dropped", "datagrams without an answer for any other reason", _OTHERWISE, everybody),
        ("invalid_requests", "datagrams from an address that no NAS is registered for", _INVALID, strangers),
    ):
        yield _family(process, f"{prefix}_{name}", text, _dropped(whose, service, reasons))


def _dropped(counted: Mapping[str, NasCounters], service: Service, reasons: tuple[DropReason, ...]) -> dict[str, int]:
    return {nas: sum(one.port(service).drops.get(reason, 0) for reason in reasons) for nas, one in counted.items()}


def _status(process: str, known: Mapping[str, NasCounters]) -> Iterator[Metric]:
    for name in ("status_requests", "status_replies"):
        family = CounterMetricFamily(
            f"pesisir_radius_{name}", "Status-Server (RFC 5997)", labels=["process", "nas", "service"]
        )
        for nas, counted in known.items():
            for service in Service:
                family.add_metric([process, nas, service.value], getattr(counted.port(service), name))
        yield family


def _drops(process: str, everybody: Mapping[str, NasCounters]) -> Metric:
    """Return every reason: of nobody's datagrams also those that have not occurred, so that a rule can be written."""
    family = CounterMetricFamily(
        "pesisir_radius_drops", "datagrams that got no answer", labels=["process", "nas", "service", "reason"]
    )
    for nas, counted in everybody.items():
        for service in Service:
            drops = counted.port(service).drops
            for reason in DropReason:
                if reason in drops or nas == NOBODY:
                    family.add_metric([process, nas, service.value, reason.value], drops.get(reason, 0))
    return family


def _older_secrets(process: str, known: Mapping[str, NasCounters]) -> Metric:
    family = GaugeMetricFamily(
        "pesisir_radius_older_secret_used_timestamp_seconds",
        "when the secret before the newest one was last proved, during a rotation",
        labels=["process", "nas"],
    )
    for nas, counted in known.items():
        if counted.older_secret_last_used_at is not None:
            family.add_metric([process, nas], counted.older_secret_last_used_at)
    return family


def _family(process: str, name: str, text: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["process", "nas"])
    for nas, value in values.items():
        family.add_metric([process, nas], value)
    return family
