#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"

namespace godwit::transport {

// What a call of AppendEntries may hold, over all its vaults: docs/protocol.md section 1.
inline constexpr std::size_t kMaxEntriesPerCall = 256;
inline constexpr std::size_t kMaxBytesPerCall = std::size_t{4} << 20;

// The longest that one call of Watch takes.
inline constexpr std::chrono::minutes kWatchTime{20};

// Where a realm's service listens, and the certificate authorities to believe there.
struct RealmAddress {
  std::string host_port;               // "realm.example:8443"; IPv6 as "[::1]:8443"
  std::vector<base::Sha256Hash> pins;  // SHA-256 of the SubjectPublicKeyInfo of the realm's own CA
};

struct CallOptions {
  // The longest that one call may take, its repetitions included; one that moves megabytes, as
  // streams and AppendEntries do, gets `bulk_timeout`.
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds bulk_timeout{600'000};
  // How often an UNAVAILABLE call is tried in all, with waits of 50 ms, 100 ms, ... up to 2 s and a
  // random part. Every call is safe to repeat.
  int tries = 5;
};

// Makes the AU of docs/protocol.md section 8 for a fresh nonce of the server (32 bytes) and the
// key of the certificate that this connection shows.
using SessionProver = std::function<base::Result<base::Bytes>(const base::Sha256Hash& spki,
                                                              base::ByteSpan server_nonce)>;

// What is uploaded and fetched, as plain bytes: docs/protocol.md says what each holds.
struct DeviceBox {
  base::DeviceId device;
  base::Bytes box;
};
struct StatementUpload {
  base::Bytes statement;
  std::vector<DeviceBox> boxes;  // of a PUK_ROTATE
};
struct PukBox {
  std::uint32_t gen = 0;
  base::Bytes box;
};

enum class JoinStep { kJ1, kJ2, kJ3 };
struct JoinMessages {
  base::Bytes offer;
  base::Bytes j1;  // empty while it was not put
  base::Bytes j2;
  base::Bytes j3;
};

struct MemberBox {
  base::MemberId member;
  base::Bytes box;
};
struct EntryUpload {
  base::Bytes entry;
  std::vector<MemberBox> boxes;  // of an EPOCH: for every row with a puk_gen
  base::Bytes salt;              // of a REV
  base::Bytes ciphertext;        // of a REV
};
struct VaultUpload {
  std::vector<EntryUpload> entries;  // of one vault, in order
};
// What became of one vault's entries: committed, or the code of section 8 that kept them out.
using VaultOutcome = base::Status;

struct EpochBox {
  std::uint32_t epoch = 0;
  base::Bytes box;
};
struct RecordContent {
  base::RecordId record;
  std::uint64_t rver = 0;
  base::Bytes salt;
  base::Bytes ciphertext;
};
// A part of a vault, as it arrives; the parts one after the other are the whole.
struct VaultPart {
  std::vector<base::Bytes> entries;
  std::vector<EpochBox> boxes;  // the caller's, of all epochs; after the entries
  std::vector<RecordContent> records;
};
struct BoardRow {
  base::Bytes create;
  std::vector<base::Bytes> epochs;
  base::Bytes pinned;
  base::Bytes head;
  base::Bytes box;
  base::Bytes salt;
  base::Bytes ciphertext;
};
struct VaultHead {
  base::VaultId vault;
  std::uint32_t kind = 0;
  std::uint64_t head_seq = 0;
  base::Link head;
  std::uint32_t perm = 0;
};

// What a service says that changed: a reason to sync, and nothing to believe.
struct Hints {
  struct Vault {
    base::VaultId vault;
    std::uint64_t head_seq = 0;
  };
  std::vector<Vault> vaults;
  std::uint64_t roster_seq = 0;  // 0: it did not move
  bool more = false;             // other vaults, too

  bool empty() const { return vaults.empty() && roster_seq == 0 && !more; }
};

// Takes what a stream brings, piece by piece. An error ends the stream and is returned.
template <class Piece>
using Receiver = std::function<base::Status(Piece piece)>;

// One connection to one realm's service: TLS 1.3, and a certificate of the realm's own CA, which a
// pin names. Nothing that it returns is believed by it: verifying is for the caller. Thread-safe;
// calls of several threads share the connection.
//
// Calls that need a session open one with the prover when there is none, and once more when the
// service no longer knows it. Errors of all calls: the code of section 8 that the service gave;
// UNAVAILABLE: nobody answers there, or not with a certificate that a pin names; DEADLINE;
// UNAUTHENTICATED: no session, or the device is not active; RESOURCE_EXHAUSTED: the service is
// busy; INTERNAL: the answer has the wrong form, or the service failed.
class RealmClient {
 public:
  explicit RealmClient(RealmAddress address, CallOptions options = {});
  ~RealmClient();
  RealmClient(const RealmClient&) = delete;
  RealmClient& operator=(const RealmClient&) = delete;

  // Who this client speaks for from now on; an open session is forgotten. Without a prover only the
  // calls that need no session work.
  void SetProver(SessionProver prover);
  // Ends the session, if there is one, here and at the service.
  base::Status CloseSession();
  // Connects, if there is no connection, and returns the SHA-256 of the SubjectPublicKeyInfo of the
  // certificate that the service shows.
  base::Result<base::Sha256Hash> ServerKey();

  // Gives an empty realm its GENESIS; needs no session. PERMISSION_DENIED: the claim is not the
  // realm's, or was used. The same GENESIS again is answered the same.
  base::Status CreateRealm(base::ByteSpan claim, base::ByteSpan genesis);

  // The statements from `from_seq` on, in order; none if there are no more.
  base::Result<std::vector<base::Bytes>> FetchRoster(std::uint64_t from_seq);
  // The same without a session. NOT_FOUND: no live invitation.
  base::Result<std::vector<base::Bytes>> FetchRoster(std::uint64_t from_seq,
                                                     const base::InviteId& invite);
  // Appends all of them or none, and returns the seq of the roster's new head.
  base::Result<std::uint64_t> AppendStatements(const std::vector<StatementUpload>& statements);
  // The caller's PUKs boxed to the caller's device, from gen `from_gen` on.
  base::Result<std::vector<PukBox>> FetchPukBoxes(std::uint32_t from_gen);

  base::Status PutOffer(const base::InviteId& invite, base::ByteSpan offer);
  base::Status DeleteOffer(const base::InviteId& invite);
  // J1 and J3 are sent without a session, J2 with one.
  base::Status PutJoinMessage(const base::InviteId& invite, JoinStep step, base::ByteSpan message);
  base::Result<JoinMessages> GetJoinMessages(const base::InviteId& invite);

  // One outcome for each vault, in order. An error of the whole call means that nothing is known of
  // any: send the same bytes again. INVALID_ARGUMENT: more than one call may hold.
  base::Result<std::vector<VaultOutcome>> AppendEntries(const std::vector<VaultUpload>& vaults);

  // The chain from `from_seq` on and what goes with it. NOT_FOUND: no such vault, or not the
  // caller's to see.
  base::Status FetchVault(const base::VaultId& vault, std::uint64_t from_seq,
                          const Receiver<VaultPart>& receive);
  // The rows that changed since `cursor` (empty: all); returns the cursor for the next time.
  base::Result<base::Bytes> FetchBoard(std::uint32_t kind, base::ByteSpan cursor,
                                       const Receiver<BoardRow>& receive);
  base::Result<base::Bytes> ListVaults(base::ByteSpan cursor, const Receiver<VaultHead>& receive);

  // Hints, until the service ends the stream, which it does every now and then, or for kWatchTime.
  // The first ones, which may be empty, say that the stream stands; hints that are empty come every
  // 20 s or so. INTERNAL: a hint has the wrong form. RESOURCE_EXHAUSTED: too many watch.
  base::Status Watch(const Receiver<Hints>& receive);

  // Ends all calls that run, and those to come, with CANCELLED.
  void Cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::transport
