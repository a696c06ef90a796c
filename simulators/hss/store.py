"""What the HSS keeps: subscribers with keys, SQN, bindings, suspensions and registrations, and the audit.

Rows are cached when first read; each change is committed before the method returns, so that an answer which follows
it never tells more than a killed process would remember. Bindings are learned by one conditional UPDATE: of two first
uses at once exactly one wins, whoever else uses the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.hss.subscriber import Subscriber
from simwarden.runtime.audit_table import AuditTable

if TYPE_CHECKING:
    from collections.abc import Iterator

METADATA = sa.MetaData(info={"schema": "hss"})
_SUBSCRIBERS = sa.Table(
    "subscribers",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("iccid", sa.String, nullable=False),
    sa.Column("msisdn", sa.String, nullable=False),
    sa.Column("profile", sa.String, nullable=False),
    sa.Column("k", sa.String(32), nullable=False),
    sa.Column("opc", sa.String(32), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False, default=0),
    sa.Column("mode", sa.String(8), nullable=False, default=""),
    sa.Column("bound", sa.String(14), nullable=False, default=""),
    sa.Column("subscription", sa.JSON, nullable=False),
    sa.Column("suspended", sa.String(12), nullable=False, default=""),
    sa.Column("why", sa.String, nullable=False, default=""),
    sa.Column("mme", sa.String, nullable=False, default=""),
    sa.Column("mme_realm", sa.String, nullable=False, default=""),
    sa.Column("plmn", sa.String, nullable=False, default=""),
    sa.Column("imei", sa.String(14), nullable=False, default=""),
    sa.Column("purged", sa.Boolean, nullable=False, default=False),
)
_AUDIT = AuditTable(METADATA)
_ROW = sa.select(_SUBSCRIBERS).where(_SUBSCRIBERS.c.imsi == sa.bindparam("key"))
_UPDATE = sa.update(_SUBSCRIBERS).where(_SUBSCRIBERS.c.imsi == sa.bindparam("key"))
_SET_SEQ = _UPDATE.values(seq=sa.bindparam("new_seq"))
_LEARN = _UPDATE.where(_SUBSCRIBERS.c.bound == "", _SUBSCRIBERS.c.mode == "learned").values(bound=sa.bindparam("new"))
_REGISTER = _UPDATE.values(
    {name: sa.bindparam(f"new_{name}") for name in ("mme", "mme_realm", "plmn", "imei", "purged")}
)


_FIELDS = tuple(Subscriber.__dataclass_fields__)


class Store:
    """The database of one HSS."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._cache: dict[str, Subscriber] = {}

    def get(self, imsi: str) -> Subscriber | None:
        """Return a subscriber, None if there is none with this IMSI."""
        found = self._cache.get(imsi)
        if found is None:
            found = self._read(imsi)
            if found is not None:
                self._cache[imsi] = found
        return found

    def _read(self, imsi: str) -> Subscriber | None:
        with self._engine.connect() as connection:
            row = connection.execute(_ROW, {"key": imsi}).mappings().first()
        return Subscriber(**row) if row is not None else None

    def named(self, name: str) -> Subscriber | None:
        """Return the subscriber whose card has a name."""
        with self._engine.connect() as connection:
            imsi = connection.execute(sa.select(_SUBSCRIBERS.c.imsi).where(_SUBSCRIBERS.c.name == name)).scalar()
        return self.get(imsi) if imsi is not None else None

    def all(self) -> Iterator[Subscriber]:
        """Yield all subscribers by IMSI."""
        with self._engine.connect() as connection:
            imsis = connection.execute(sa.select(_SUBSCRIBERS.c.imsi).order_by(_SUBSCRIBERS.c.imsi)).scalars().all()
        for imsi in imsis:
            found = self.get(imsi)
            if found is not None:
                yield found

    def put(self, subscriber: Subscriber, audit: dict[str, Any]) -> None:
        """Keep a new subscriber, or a changed one in place of what was kept, together with the audit record."""
        values = {name: getattr(subscriber, name) for name in _FIELDS}
        with self._engine.begin() as connection:
            if connection.execute(_UPDATE.values(values), {"key": subscriber.imsi}).rowcount == 0:
                connection.execute(sa.insert(_SUBSCRIBERS).values(values))
            _AUDIT.add(connection, [audit])
        self._cache[subscriber.imsi] = subscriber

    def set_seq(self, subscriber: Subscriber, seq: int) -> None:
        """Keep the SEQ of the last authentication vector made."""
        with self._engine.begin() as connection:
            connection.execute(_SET_SEQ, {"key": subscriber.imsi, "new_seq": seq})
        subscriber.seq = seq

    def register(
        self, subscriber: Subscriber, *, mme: str, realm: str, plmn: str, imei: str, teaches: str, audit: dict[str, Any]
    ) -> bool:
        """Keep which MME serves a card in which terminal, and bind the card if it `teaches` an IMEI.

        Returns False, and keeps nothing, if somebody else's first use has bound the card to another terminal meanwhile.
        """
        held = (subscriber.mme, subscriber.mme_realm, subscriber.plmn, subscriber.imei, subscriber.purged)
        if not teaches and held == (mme, realm, plmn, imei, False):
            return True
        values = {"new_mme": mme, "new_mme_realm": realm, "new_plmn": plmn, "new_imei": imei, "new_purged": False}
        with self._engine.begin() as connection:
            if teaches:
                if connection.execute(_LEARN, {"key": subscriber.imsi, "new": teaches}).rowcount == 0:
                    connection.rollback()
                    self._cache.pop(subscriber.imsi, None)
                    return False
                _AUDIT.add(connection, [audit])
            connection.execute(_REGISTER, {"key": subscriber.imsi, **values})
        subscriber.mme, subscriber.mme_realm, subscriber.plmn = mme, realm, plmn
        subscriber.imei, subscriber.purged = imei, False
        subscriber.bound = teaches or subscriber.bound
        return True

    def deregister(self, subscriber: Subscriber) -> None:
        """Forget which MME serves a card."""
        values = {"new_mme": "", "new_mme_realm": "", "new_plmn": "", "new_imei": subscriber.imei, "new_purged": False}
        with self._engine.begin() as connection:
            connection.execute(_REGISTER, {"key": subscriber.imsi, **values})
        subscriber.mme = subscriber.mme_realm = subscriber.plmn = ""
        subscriber.purged = False

    def purge(self, subscriber: Subscriber) -> None:
        """Keep that the MME has forgotten the card (PUR)."""
        with self._engine.begin() as connection:
            connection.execute(_UPDATE.values(purged=True), {"key": subscriber.imsi})
        subscriber.purged = True

    def serving_nodes(self) -> tuple[str, ...]:
        """Return the Diameter identities of all MMEs that serve a card."""
        query = sa.select(_SUBSCRIBERS.c.mme).where(_SUBSCRIBERS.c.mme != "").distinct().order_by(_SUBSCRIBERS.c.mme)
        with self._engine.connect() as connection:
            return tuple(connection.execute(query).scalars())

    def audit(self, record: dict[str, Any]) -> None:
        """Keep an audit record."""
        _AUDIT.keep(self._engine, record)

    def audited(self, imsi: str = "") -> list[dict[str, Any]]:
        """Return audit records in order, of one card or of all."""
        return _AUDIT.read(self._engine, imsi)

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()
