-- One realm: its roster, its vaults, its sessions and its mailbox. docs/protocol.md says what the
-- columns mean. Every key holds realm_id, those of vaults vault_id too, so that rows can be spread
-- over machines by vault. realm_id comes last in them: it is the same in every row of a database, and
-- a planner that has no statistics yet would take it for selective. Ids and times come from the
-- service.

CREATE DOMAIN id16 AS bytea CHECK (octet_length(VALUE) = 16);
CREATE DOMAIN hash32 AS bytea CHECK (octet_length(VALUE) = 32);
CREATE DOMAIN seq_number AS bigint CHECK (VALUE >= 0);

-- The realm and its roster's head: the row that commits lock for share and the roster for update.
CREATE TABLE realm (
  realm_id id16 NOT NULL,
  compartment smallint NOT NULL CHECK (compartment BETWEEN 1 AND 3),
  fingerprint hash32 NOT NULL,
  head_seq seq_number NOT NULL,
  head_link hash32 NOT NULL,
  PRIMARY KEY (realm_id),
  CHECK (realm_id = substring(fingerprint FROM 1 FOR 16))
);

-- The right to make the realm, which has no id until then: sixteen zeros.
CREATE TABLE genesis_claim (
  realm_id id16 NOT NULL CHECK (realm_id = decode(repeat('00', 16), 'hex')),
  claim_sha256 hash32 NOT NULL,
  PRIMARY KEY (realm_id)
);

CREATE TABLE statement (
  realm_id id16 NOT NULL,
  seq seq_number NOT NULL,
  link hash32 NOT NULL,
  bytes bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 66000),
  PRIMARY KEY (seq, realm_id)
);

CREATE TABLE puk_box (
  realm_id id16 NOT NULL,
  device_id id16 NOT NULL,
  gen bigint NOT NULL CHECK (gen BETWEEN 1 AND 4294967295),
  member_id id16 NOT NULL,
  box bytea NOT NULL CHECK (octet_length(box) BETWEEN 1 AND 4096),
  PRIMARY KEY (device_id, gen, realm_id)
);
CREATE INDEX puk_box_member ON puk_box (member_id, realm_id);

-- `mark` is the transaction that changed the row last: what readers' cursors are compared with.
CREATE TABLE vault (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 255),
  head_seq seq_number NOT NULL,
  head_link hash32 NOT NULL,
  epoch bigint NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  epoch_link hash32 NOT NULL,
  pin_link hash32,
  pin_seq seq_number,
  pin_record id16,
  pin_rver seq_number,
  roster_seq seq_number NOT NULL,
  mark xid8 NOT NULL,
  PRIMARY KEY (vault_id, realm_id),
  CHECK (num_nulls(pin_link, pin_seq, pin_record, pin_rver) IN (0, 4))
) WITH (fillfactor = 80);

CREATE TABLE entry (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  seq seq_number NOT NULL,
  type smallint NOT NULL CHECK (type BETWEEN 1 AND 255),
  link hash32 NOT NULL,
  bytes bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 132000),
  PRIMARY KEY (vault_id, seq, realm_id)
);
CREATE INDEX entry_epoch ON entry (vault_id, seq, realm_id) WHERE type = 2;

-- The list of the EPOCH in force.
CREATE TABLE membership (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  member_id id16 NOT NULL,
  kind smallint NOT NULL,
  perm smallint NOT NULL CHECK (perm IN (1, 2, 3, 4, 7)),
  puk_gen bigint NOT NULL CHECK (puk_gen BETWEEN 0 AND 4294967295),
  PRIMARY KEY (vault_id, member_id, realm_id)
);
CREATE INDEX membership_member ON membership (member_id, kind, vault_id, realm_id);

CREATE TABLE box (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  member_id id16 NOT NULL,
  epoch bigint NOT NULL CHECK (epoch BETWEEN 1 AND 4294967295),
  box bytea NOT NULL CHECK (octet_length(box) BETWEEN 1 AND 4096),
  PRIMARY KEY (vault_id, member_id, epoch, realm_id)
);

CREATE TABLE record (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  record_id id16 NOT NULL,
  rver bigint NOT NULL CHECK (rver >= 1),
  seq seq_number NOT NULL,
  dead boolean NOT NULL,
  PRIMARY KEY (vault_id, record_id, realm_id)
) WITH (fillfactor = 80);

CREATE TABLE record_blob (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  record_id id16 NOT NULL,
  rver bigint NOT NULL CHECK (rver >= 1),
  ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) BETWEEN 16 AND 1048592),
  PRIMARY KEY (vault_id, record_id, rver, realm_id)
);

CREATE TABLE record_salt (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  record_id id16 NOT NULL,
  rver bigint NOT NULL CHECK (rver >= 1),
  salt hash32 NOT NULL,
  PRIMARY KEY (vault_id, record_id, rver, realm_id)
);

-- Leaves of the log to come, in the transaction of what they record. A vault's leaf comes after
-- statement `roster_seq` and before the one after it.
CREATE TABLE leaf (
  realm_id id16 NOT NULL,
  chain_tag hash32 NOT NULL,
  seq seq_number NOT NULL,
  leaf_type smallint NOT NULL CHECK (leaf_type IN (1, 2)),
  link hash32 NOT NULL,
  roster_seq seq_number NOT NULL,
  PRIMARY KEY (chain_tag, seq, realm_id)
);

CREATE TABLE nonce (
  realm_id id16 NOT NULL,
  nonce hash32 NOT NULL,
  expires_ms bigint NOT NULL,
  PRIMARY KEY (nonce, realm_id)
);
CREATE INDEX nonce_expires ON nonce (expires_ms, realm_id);

CREATE TABLE session (
  realm_id id16 NOT NULL,
  token_sha256 hash32 NOT NULL,
  member_id id16 NOT NULL,
  device_id id16 NOT NULL,
  expires_ms bigint NOT NULL,
  PRIMARY KEY (token_sha256, realm_id)
);
CREATE INDEX session_device ON session (device_id, realm_id);
CREATE INDEX session_member ON session (member_id, realm_id);
CREATE INDEX session_expires ON session (expires_ms, realm_id);

CREATE TABLE invitation (
  realm_id id16 NOT NULL,
  invite_id id16 NOT NULL,
  offerer id16 NOT NULL,
  expires_ms bigint NOT NULL,
  offer bytea NOT NULL CHECK (octet_length(offer) BETWEEN 1 AND 65536),
  j1 bytea CHECK (octet_length(j1) BETWEEN 1 AND 16384),
  j2 bytea CHECK (octet_length(j2) BETWEEN 1 AND 16384),
  j3 bytea CHECK (octet_length(j3) BETWEEN 1 AND 16384),
  PRIMARY KEY (invite_id, realm_id)
);
CREATE INDEX invitation_expires ON invitation (expires_ms, realm_id);

CREATE TABLE quota (
  realm_id id16 NOT NULL,
  subject id16 NOT NULL,
  act integer NOT NULL,
  day bigint NOT NULL,
  count bigint NOT NULL CHECK (count >= 0),
  PRIMARY KEY (subject, act, day, realm_id)
) WITH (fillfactor = 50);
CREATE INDEX quota_day ON quota (day, realm_id);

-- Sealed bytes do not compress.
ALTER TABLE statement ALTER bytes SET STORAGE EXTERNAL;
ALTER TABLE entry ALTER bytes SET STORAGE EXTERNAL;
ALTER TABLE box ALTER box SET STORAGE EXTERNAL;
ALTER TABLE record_blob ALTER ciphertext SET STORAGE EXTERNAL;
ALTER TABLE invitation ALTER offer SET STORAGE EXTERNAL;

-- What the service may do. What is only appended to, it can neither change nor delete.
GRANT USAGE ON SCHEMA public TO {service_role};
GRANT SELECT, INSERT ON statement, entry, leaf TO {service_role};
GRANT SELECT, INSERT, UPDATE (head_seq, head_link) ON realm TO {service_role};
GRANT SELECT, DELETE ON genesis_claim TO {service_role};
GRANT SELECT, INSERT, UPDATE ON vault, record, quota TO {service_role};
GRANT DELETE ON quota TO {service_role};
GRANT SELECT, INSERT, DELETE
  ON puk_box, membership, box, record_blob, record_salt, nonce, session TO {service_role};
GRANT SELECT, INSERT, DELETE, UPDATE (j1, j2, j3) ON invitation TO {service_role};
GRANT SELECT ON schema_migration TO {service_role};
