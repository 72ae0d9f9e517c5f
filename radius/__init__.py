"""A RADIUS library; it knows nothing of the application that uses it.

From the wire up:

    codes, errors        packet codes; why a datagram got no answer
    dictionary           attribute names, numbers, types, read from `dictionaries/`
    values               how a value of each type is written and read
    attributes           Attributes: ordered, repeatable, raw inside; typed reads and writes by name
    packet               Packet: parse(octets), to_bytes()
    signatures           authenticators, Message-Authenticator, hidden passwords
    authorization        Authorization: what a session may do, in neutral units
    mschap               the arithmetic of MS-CHAPv2: RFC 2759, RFC 3079
    credentials          PapPassword, ChapResponse, MsChapV2Response; each .matches(password)
    messages             the requests and answers that pass between the library and an application
    vendors              one profile per router family: Authorization -> Attributes, Attributes -> counters
    duplicates           replies already given (RFC 5080 section 2.2.2)
    backend              Backend, Nas: all that the library asks of an application
    replies, counters    what a reply is made of; what a server counts
    methods              by which credential a request proves itself, and how it is read
    verification         whose datagram it is, and by which secret
    server_engine        ServerEngine: datagrams in, requests out; decisions in, replies out
    client_engine        ClientEngine: questions out, verified replies in
    net                  the only I/O: server (and what waits, what is put off, what is told), datagrams, clients

A module may use what stands above it in this list, never below. Only `net` opens sockets and reads clocks; the names
below are all that an application needs beside it.
"""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.backend import Backend, Demand, Nas, Service
from radius.client_engine import AccessQuery, AccountingQuery, ClientEngine, Query, Reply, StatusQuery, Timing
from radius.codes import Code, StatusType
from radius.credentials import ChapResponse, Credential, MsChapV2Response, MsChapV2Success, PapPassword
from radius.errors import DecodeError, DropReason, EncodeError, RadiusError
from radius.messages import (
    Accept,
    AccessRequest,
    AccountingRecord,
    Answer,
    Challenge,
    CoaRequest,
    DisconnectRequest,
    Later,
    Reject,
)
from radius.packet import Packet
from radius.server_engine import Arrival, ServerEngine
from radius.values import parse_mac
from radius.vendors import PROFILES, profile_for
from radius.vendors.abilities import Coa, CoaBase, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Counters, Direction, Profile

__all__ = [
    "PROFILES",
    "Accept",
    "AccessQuery",
    "AccessRequest",
    "AccountingQuery",
    "AccountingRecord",
    "Answer",
    "Arrival",
    "Attributes",
    "Authorization",
    "Backend",
    "Challenge",
    "ChapResponse",
    "ClientEngine",
    "Coa",
    "CoaBase",
    "CoaKind",
    "CoaRequest",
    "Code",
    "Counters",
    "Credential",
    "DecodeError",
    "Demand",
    "Direction",
    "DisconnectRequest",
    "DropReason",
    "EncodeError",
    "Later",
    "Limits",
    "MsChapV2Response",
    "MsChapV2Success",
    "Nas",
    "Packet",
    "PapPassword",
    "Profile",
    "Query",
    "RadiusError",
    "Reject",
    "Reply",
    "ServerEngine",
    "Service",
    "StatusQuery",
    "StatusType",
    "Timing",
    "Told",
    "Unit",
    "parse_mac",
    "profile_for",
]
