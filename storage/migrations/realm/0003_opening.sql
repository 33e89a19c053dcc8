-- Who manages a vault without reading it (perm 4) is served its content once somebody else assented
-- to their ASK, until a time: no entry carries one, so the service keeps it.
CREATE TABLE opening (
  realm_id id16 NOT NULL,
  vault_id id16 NOT NULL,
  member_id id16 NOT NULL,
  ask_link hash32 NOT NULL,
  until_ms bigint NOT NULL CHECK (until_ms > 0),
  PRIMARY KEY (vault_id, member_id, ask_link, realm_id)
);
GRANT SELECT, INSERT ON opening TO {service_role};
