#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "client/keystore_file.h"
#include "client/store.h"
#include "crypto/kem.h"
#include "protocol/entry.h"
#include "protocol/evidence.h"
#include "protocol/keys.h"
#include "protocol/roster.h"
#include "transport/realm_client.h"

namespace godwit::client {

// Whether a call may have done its work though it failed: ask what stands, or send the same again.
[[nodiscard]] bool IsLostAnswer(base::Code code);

// One realm that this device works in: its keys, its verified roster, its local store and the
// connection to its service. What comes from the service is verified from the pinned fingerprint on
// before it is kept. Not thread-safe.
class Realm {
 public:
  // Opens what is on this device; no network. E_STATE_LOST: the store is not what the keystore
  // says.
  static base::Result<std::unique_ptr<Realm>> Open(UnlockedRealm keys,
                                                   const std::filesystem::path& store_path);
  ~Realm();

  protocol::Compartment compartment() const { return keys_.info.compartment; }
  const base::RealmId& id() const { return id_; }
  const RealmInfo& info() const { return keys_.info; }
  const base::MemberId& member() const { return keys_.info.member; }
  const protocol::Device& device() const { return device_; }
  const protocol::Roster& roster() const { return roster_; }
  protocol::Roles roles() const;  // this member's, at the roster's head
  Store& store() { return *store_; }
  transport::RealmClient& server() { return *server_; }
  const UnlockedRealm& keys() const { return keys_; }
  // What tells the time of windows; the system's unless a test says otherwise. It must outlive
  // this.
  const base::Clock& clock() const { return *clock_; }
  void set_clock(const base::Clock& clock) { clock_ = &clock; }

  // Brings the roster up to date, and this member's PUKs with it: a first one is made, and a stale
  // one rotated. E_ROLLBACK, E_FORK: the service shows another past than before; E_ROSTER_INVALID
  // and the like: it shows a roster that no honest one would; evidence is kept, nothing else.
  // E_KEY_MISMATCH: a box of a PUK is not the one that was signed; nothing is made of it.
  // PERMISSION_DENIED: this device was revoked, or this member removed. UNAVAILABLE: offline.
  base::Status Sync();

  // Fetches the roster without a session, under an invitation: for a newcomer.
  base::Status SyncUnder(const base::InviteId& invite);

  // Signs `payload` as the next statement, sends it and takes it. Returns how many more members
  // must sign before it takes effect: 0, it is in effect. CONFLICT is met by Sync and a second try,
  // up to 8 times, and so is an answer that is lost, unless the statement is found to stand.
  base::Result<std::uint64_t> Author(const protocol::StatementPayload& payload,
                                     std::vector<transport::DeviceBox> boxes = {});

  // Makes and publishes the next PUK for all active devices of this member. Where another of them
  // does so at the same time, one PUK is made.
  base::Status RotatePuk();

  // Adds another device of this member: DEVICE_ADD with the box of the current PUK beside it, and
  // the self-audit told that this person did it. Returns how many more members must sign it.
  // `pop` is the new device's (protocol::PopMessage). E_ROSTER_INVALID: the roster refuses it, for
  // one because another device waits to be approved.
  base::Result<std::uint64_t> AddDevice(const protocol::DeviceKeys& device,
                                        const crypto::Signature& pop);

  // This member's PUK pair of `gen`: from its box, or unwrapped from a newer one. E_KEY_MISMATCH:
  // it is not what the roster lists. NOT_FOUND: this device cannot reach it.
  base::Result<const crypto::KemKeyPair*> PukPair(std::uint32_t gen);

  // Header of an entry by this device at the roster's head.
  protocol::EntryHeader EntryHeaderNow() const;

  // Keeps what shows a service's or author's misbehaviour (docs/protocol.md section 5). `piece` is
  // whole but for the fingerprint, and for the first `statements_before` of the roster and
  // `entries_before` of the vault, which are in the store.
  void KeepEvidence(const base::Error& error, protocol::Evidence piece,
                    std::uint64_t statements_before, std::uint64_t entries_before = 0);
  // The same in the form that the store keeps.
  EvidenceItem ToKeep(const base::Error& error, protocol::Evidence piece,
                      std::uint64_t statements_before, std::uint64_t entries_before = 0) const;

 private:
  Realm(UnlockedRealm keys, protocol::Device device);

  // A statement to be signed, made anew for every try: the roster may have moved.
  struct Draft {
    protocol::StatementPayload payload;
    std::vector<transport::DeviceBox> boxes;
  };
  // Nothing: it is no longer needed.
  using Drafter = std::function<base::Result<std::optional<Draft>>()>;

  // What is new in the service's roster, verified and taken.
  base::Status FetchStatements();
  base::Status TakeStatements(std::uint64_t from_seq, const std::vector<base::Bytes>& statements);
  base::Result<std::uint64_t> AuthorDrafts(const Drafter& draft);
  base::Status EnsurePuk();
  // Whether this member has no PUK, or a stale one.
  bool WantsPuk() const;
  // The next PUK; `only_if_wanted`: unless another device of this member was faster.
  base::Status Rotate(bool only_if_wanted);
  // This device's boxes of PUKs newer than those it has.
  base::Status FetchPuks();
  // Evidence about this device's box of PUK `gen`.
  void KeepPukBox(const base::Error& error, protocol::Claim claim, std::uint32_t gen,
                  base::ByteSpan box);
  // This member's PUK `gen`; nullptr: the roster lists none.
  const protocol::Roster::PukGen* ListedPuk(std::uint32_t gen) const;
  // The hash of this device's box of PUK `gen`; nullptr: the roster lists none.
  const base::Sha256Hash* ListedPukBox(std::uint32_t gen) const;

  UnlockedRealm keys_;
  const base::Clock* clock_ = &base::SystemClock();
  base::RealmId id_;
  protocol::Device device_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<transport::RealmClient> server_;
  protocol::Roster roster_;
  std::optional<base::Bytes> last_statement_;
  std::map<std::uint32_t, base::Bytes> puk_boxes_;
  std::map<std::uint32_t, protocol::Puk> puks_;
  std::map<std::uint32_t, crypto::KemKeyPair> puk_pairs_;
};

}  // namespace godwit::client
