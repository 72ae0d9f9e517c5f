"""Whose datagram it is, and by which secret: one NAS, several behind an address, or a secret in rotation.

What is learned about a NAS on the way (does it sign, which secret does it use, which identifier does it send) is kept
here as well. No I/O, no clock here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from radius.backend import Demand, Nas
from radius.counters import Counters, NasCounters
from radius.errors import DropReason
from radius.packet import Packet
from radius.signatures import ZEROS, SharedSecret, prepared, verify_accounting, verify_message

_NAS_IP_ADDRESS: Final = 4
_NAS_IDENTIFIER: Final = 32
_PROXY_STATE: Final = 33
_EAP_MESSAGE: Final = 79
_NAS_IPV6_ADDRESS: Final = 95

Verified = tuple[Nas, SharedSecret]
"""Whose it is, and the secret that it was made with, which the reply needs."""


class Verifier:
    """Tells NASes apart by what only they can have made; `counters` are the engine's.

    `learned` is what was learnt earlier about which NASes sign; `on_learned` is told what is learnt now. `require` and
    `limit` are demanded of a NAS that leaves it at `auto`.
    """

    def __init__(
        self,
        counters: Counters,
        *,
        learned: Mapping[str, Demand] | None = None,
        on_learned: Callable[[str, Demand], None] | None = None,
        require: Demand = Demand.AUTO,
        limit: Demand = Demand.AUTO,
    ) -> None:
        self._counters = counters
        self._require, self._limit = require, limit
        self._learned: dict[str, Demand] = dict(learned or {})
        self._on_learned = on_learned
        self._has_signed = {nas_id for nas_id, demand in self._learned.items() if demand is Demand.YES}
        self._proved_secrets: dict[str, bytes] = {}

    def has_signed(self, nas_id: str) -> bool:
        """Tell whether a NAS is known to have sent a Message-Authenticator once."""
        return nas_id in self._has_signed

    def correct(self, nas_id: str, demand: Demand | None) -> None:
        """Take over what others have learnt about a NAS; None forgets what was learnt, so that it is learnt anew."""
        if demand is None:
            self._learned.pop(nas_id, None)
            self._has_signed.discard(nas_id)
            return
        self._learned[nas_id] = demand
        if demand is Demand.YES:
            self._has_signed.add(nas_id)

    def access(self, packet: Packet, candidates: Sequence[Nas], received_at: float) -> Verified | DropReason:
        """Find the NAS and the secret of an Access-Request.

        Without Message-Authenticator nothing in it proves a secret, so the NAS must be told by its address and
        NAS-Identifier alone, and the secret is the one that it was last seen to use, else the newest.
        """
        if packet.signature_at:
            return self.signed(packet, candidates, received_at)
        if len(candidates) != 1:
            return DropReason.NAS_MISMATCH
        nas = candidates[0]
        first = packet.attributes.first
        if self._demands_signature(nas) or first(_EAP_MESSAGE) is not None:
            return DropReason.MISSING_MESSAGE_AUTHENTICATOR
        if first(_PROXY_STATE) is not None and self._limits_proxy_state(nas):
            return DropReason.PROXY_STATE_UNSIGNED
        return nas, self._secrets(nas)[0]

    def signed(self, packet: Packet, candidates: Sequence[Nas], received_at: float) -> Verified | DropReason:
        """Find the NAS and the secret by the Message-Authenticator."""
        for nas in candidates:
            for secret in self._secrets(nas):
                if verify_message(secret, packet.raw, packet.signature_at):
                    self._note_secret(nas, secret, received_at)
                    return nas, secret
        return DropReason.BAD_MESSAGE_AUTHENTICATOR

    def accounting(self, packet: Packet, candidates: Sequence[Nas], received_at: float) -> Verified | DropReason:
        """Find the NAS and the secret by the Request Authenticator; a Message-Authenticator must fit as well."""
        for nas in candidates:
            for secret in self._secrets(nas):
                if not verify_accounting(secret, packet.raw):
                    continue
                if packet.signature_at and not verify_message(secret, packet.raw, packet.signature_at, ZEROS):
                    return DropReason.BAD_MESSAGE_AUTHENTICATOR
                self._note_secret(nas, secret, received_at)
                return nas, secret
        return DropReason.BAD_AUTHENTICATOR

    def note_signing(self, nas: Nas, packet: Packet, counters: NasCounters) -> None:
        """Learn from the first Access-Request whether this NAS signs, as FreeRADIUS does for `auto`.

        Where the NAS must sign or need not, only that it has signed is learnt, for alarms and debug answers. EAP is
        always signed and so teaches nothing; an entry for many addresses is many routers and never learns.
        """
        signed = packet.signature_at > 0
        counters.unsigned += not signed
        if not nas.exact_address:
            return
        if signed:
            self._has_signed.add(nas.id)
        else:
            counters.downgrades += nas.id in self._has_signed
        if nas.id in self._learned:
            return
        if signed and packet.attributes.first(_EAP_MESSAGE) is not None:
            return
        if not signed and self._demand(nas) is not Demand.AUTO:
            return  # nothing follows from it; that it has signed is worth knowing whatever is demanded
        demand = Demand.YES if signed else Demand.NO
        self._learned[nas.id] = demand
        if self._on_learned is not None:
            self._on_learned(nas.id, demand)

    def note_identity(self, nas: Nas, packet: Packet, counters: NasCounters) -> bool:
        """Count a router that calls itself otherwise than it is registered, or nothing; tell whether it may go on."""
        first = packet.attributes.first
        identifier, address = first(_NAS_IDENTIFIER), first(_NAS_IP_ADDRESS)
        fits = True
        if identifier is None:
            counters.nameless += address is None and first(_NAS_IPV6_ADDRESS) is None
        elif nas.identifier is not None and identifier != nas.identifier.encode():
            counters.identifier_mismatches += 1
            counters.identifier_found = identifier
            fits = False
        if address is not None:
            lowest, highest = nas.addresses
            if len(lowest) == len(address) and not lowest <= address <= highest:
                counters.address_mismatches += 1
                fits = False
        return fits or not nas.strict_identity

    def newest_secret(self, nas: Nas) -> SharedSecret:
        """Return the secret for an answer to what proves none."""
        return self._secrets(nas)[0]

    def _demand(self, nas: Nas) -> Demand:
        demand = nas.require_message_authenticator
        return self._require if demand is Demand.AUTO else demand

    def _demands_signature(self, nas: Nas) -> bool:
        demand = self._demand(nas)
        return (self._learned.get(nas.id) if demand is Demand.AUTO else demand) is Demand.YES

    def _limits_proxy_state(self, nas: Nas) -> bool:
        demand = nas.limit_proxy_state
        return (self._limit if demand is Demand.AUTO else demand) is not Demand.NO

    def _secrets(self, nas: Nas) -> Sequence[SharedSecret]:
        """Return the secrets of a NAS, the one that it was last seen to use first, else the newest first."""
        if len(nas.secrets) == 1:
            return (prepared(nas.secrets[0]),)
        secrets = [prepared(octets) for octets in nas.secrets]
        proved = self._proved_secrets.get(nas.id)
        return sorted(secrets, key=lambda secret: secret.octets != proved)

    def _note_secret(self, nas: Nas, secret: SharedSecret, received_at: float) -> None:
        if len(nas.secrets) > 1:
            self._proved_secrets[nas.id] = secret.octets
            if secret.octets != nas.secrets[0]:
                self._counters.by_nas[nas.id].older_secret_last_used_at = received_at
