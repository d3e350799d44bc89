-- Times are microseconds since 1970 UTC; states are JSON; digests are 32 bytes.

CREATE TABLE inbox (
    id           INTEGER PRIMARY KEY,
    account      TEXT NOT NULL,
    dedupe_key   TEXT NOT NULL,
    customer     TEXT NOT NULL,
    conversation TEXT NOT NULL,
    received_at  INTEGER NOT NULL,
    platform_at  INTEGER,
    event        TEXT NOT NULL,
    envelope     TEXT NOT NULL,
    done         INTEGER NOT NULL,
    reply        TEXT
) STRICT;
CREATE UNIQUE INDEX inbox_key ON inbox (account, dedupe_key);
CREATE INDEX inbox_conversation ON inbox (conversation, received_at);
CREATE INDEX inbox_pending ON inbox (received_at) WHERE done = 0;

-- One row a conversation; the one that a customer is in now is `current`. Revisions count per account and customer.
CREATE TABLE conversation (
    id           TEXT NOT NULL,
    account      TEXT NOT NULL,
    customer     TEXT NOT NULL,
    current      INTEGER NOT NULL DEFAULT 1,
    revision     INTEGER NOT NULL,
    owner        TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    turns        INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    wake_at      INTEGER,
    queue_group  TEXT,
    queued_since INTEGER,
    state        TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX conversation_id ON conversation (id);
CREATE UNIQUE INDEX conversation_current ON conversation (account, customer) WHERE current = 1;
CREATE INDEX conversation_customer ON conversation (account, customer);
CREATE INDEX conversation_wake ON conversation (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX conversation_changed ON conversation (account, updated_at);
CREATE INDEX conversation_waiting ON conversation (account, owner, updated_at) WHERE owner <> 'bot';

CREATE TABLE outbox (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL,
    account      TEXT NOT NULL,
    customer     TEXT NOT NULL,
    conversation TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    message      TEXT NOT NULL,
    speaker      TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    last_error   TEXT
) STRICT;
CREATE UNIQUE INDEX outbox_id ON outbox (id);
CREATE INDEX outbox_conversation ON outbox (conversation, created_at);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'queued';
CREATE INDEX outbox_sending ON outbox (seq) WHERE state = 'sending';
CREATE INDEX outbox_held ON outbox (account, customer, seq) WHERE state = 'held';

CREATE TABLE package (
    version TEXT PRIMARY KEY,
    files   BLOB NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT;

CREATE TABLE publication (
    id      INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    version TEXT NOT NULL REFERENCES package (version),
    at      INTEGER NOT NULL,
    by      TEXT NOT NULL,
    source  TEXT NOT NULL
) STRICT;
CREATE INDEX publication_account ON publication (account, id);

CREATE TABLE audit (
    seq           INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    account       TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    kind          TEXT NOT NULL,
    body          TEXT,
    body_digest   BLOB NOT NULL,
    sealed        TEXT,
    sealed_digest BLOB NOT NULL,
    prev          BLOB NOT NULL,
    hash          BLOB NOT NULL
) STRICT;
CREATE INDEX audit_conversation ON audit (conversation, seq) WHERE conversation <> '';

CREATE TRIGGER audit_keep BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never deleted');
END;

-- Erasure may take body and sealed away; nothing else ever changes.
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
WHEN NEW.seq IS NOT OLD.seq
    OR NEW.at IS NOT OLD.at
    OR NEW.account IS NOT OLD.account
    OR NEW.conversation IS NOT OLD.conversation
    OR NEW.kind IS NOT OLD.kind
    OR NEW.body_digest IS NOT OLD.body_digest
    OR NEW.sealed_digest IS NOT OLD.sealed_digest
    OR NEW.prev IS NOT OLD.prev
    OR NEW.hash IS NOT OLD.hash
    OR (NEW.body IS NOT OLD.body AND NEW.body IS NOT NULL)
    OR (NEW.sealed IS NOT OLD.sealed AND NEW.sealed IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'audit rows never change');
END;

-- Written to find out whether the database can be written.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;
INSERT INTO probe (id, at) VALUES (1, 0);
