-- Vaults are erased after their erase_day. `erase_day` is the day in effect as of the head, 0 where
-- there is none or where the vault is on hold or was erased: it finds the vaults whose chains the
-- service then asks.
ALTER TABLE vault ADD erase_day bigint NOT NULL DEFAULT 0
  CHECK (erase_day BETWEEN 0 AND 4294967295);
-- Rows from before this column: a day long past wherever a STATE may have set one, so that the
-- service looks into the chain and writes what is true.
UPDATE vault AS v SET erase_day = 1
WHERE EXISTS (SELECT FROM entry AS e
              WHERE e.realm_id = v.realm_id AND e.vault_id = v.vault_id AND e.type = 5);
ALTER TABLE vault ALTER erase_day DROP DEFAULT;
CREATE INDEX vault_erase_day ON vault (erase_day, vault_id, realm_id) WHERE erase_day > 0;

-- What the service did of itself (EV), numbered from 0.
CREATE TABLE event (
  realm_id id16 NOT NULL,
  n seq_number NOT NULL,
  bytes bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 66000),
  PRIMARY KEY (n, realm_id)
);
-- An event's leaf has 32 zero bytes for a chain and n for a seq.
ALTER TABLE leaf DROP CONSTRAINT leaf_leaf_type_check,
  ADD CONSTRAINT leaf_leaf_type_check CHECK (leaf_type IN (1, 2, 4));

GRANT SELECT, INSERT ON event TO {service_role};
