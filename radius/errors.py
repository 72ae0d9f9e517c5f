"""What can go wrong with a datagram, as data; nothing here is text for people.

RadiusError
 |- DecodeError      the bytes are not a packet that may be processed; carries its DropReason
 `- EncodeError      an answer or request of ours would not be a valid packet
"""

from enum import StrEnum


class DropReason(StrEnum):
    """Why a datagram got no answer (RFC 2865 section 3: "silently discarded"). Each is a metric."""

    UNKNOWN_NAS = "unknown_nas"  # no entry for the source address
    TOO_SHORT = "too_short"  # fewer than 20 octets, or a Length below 20
    BAD_LENGTH = "bad_length"  # Length beyond the datagram or above 4096
    BAD_CODE = "bad_code"  # a code that this port does not take
    MALFORMED = "malformed"  # the attribute list does not end exactly at Length
    TOO_MANY_ATTRIBUTES = "too_many_attributes"
    BAD_AUTHENTICATOR = "bad_authenticator"  # Accounting-Request (RFC 2866 section 3)
    MISSING_MESSAGE_AUTHENTICATOR = "missing_message_authenticator"  # required of this NAS, or by EAP or Status-Server
    BAD_MESSAGE_AUTHENTICATOR = "bad_message_authenticator"
    PROXY_STATE_UNSIGNED = "proxy_state_unsigned"  # BlastRADIUS: Proxy-State without Message-Authenticator
    REPEATED_ATTRIBUTE = "repeated_attribute"  # an identity attribute twice (RouterOS lets a phone's form add some)
    MIXED_CREDENTIALS = "mixed_credentials"  # more than one of PAP, CHAP, MS-CHAP, EAP (RFC 2865 section 4.1)
    NO_CREDENTIAL = "no_credential"  # neither a credential nor a Message-Authenticator (RFC 3579 section 3.3)
    NAS_MISMATCH = "nas_mismatch"  # several NASes share the address and none fits the NAS-Identifier and the signature
    DUPLICATE_IN_PROGRESS = "duplicate_in_progress"  # a copy of a request whose answer is still in work
    TOO_OLD = "too_old"  # waited longer than a router's patience
    OVERLOAD = "overload"  # the bounded queue was full
    UNDECIDED = "undecided"  # the application could not decide in time: the router asks again or elsewhere
    NOT_STORED = "not_stored"  # accounting that is not safe on disk is not acknowledged
    UNEXPECTED = "unexpected"  # a reply to nothing that we have asked
    STALE = "stale"  # a router's answer whose Event-Timestamp is more than 300 s off (RFC 5176 section 6.3)
    NOT_READY = "not_ready"  # Status-Server while the service behind the port is not ready


class RadiusError(Exception):
    """Base of every error of this package."""


class DecodeError(RadiusError):
    """The bytes are not a packet that may be processed."""

    def __init__(self, reason: DropReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class EncodeError(RadiusError):
    """A packet of ours cannot be built: an unknown attribute name, a value out of range, or too long."""
