#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/cold_read.h"
#include "protocol/roster.h"

namespace godwit::protocol {

// What a piece of evidence says that somebody did. The numbers stand in files.
enum class Claim : std::uint8_t {
  kStatement = 1,      // showed a statement that the verdict refuses
  kEntry = 2,          // an entry that the verdict refuses
  kTwoStatements = 3,  // another statement in the place of one that was seen
  kTwoEntries = 4,     // another entry in the place of one that was seen
  kOlderRoster = 5,    // a roster that ends before what was seen
  kOlderVault = 6,     // a vault that ends before what was seen
  kOtherRealm = 7,     // the roster of another realm than the pinned one
  kOtherVault = 8,     // another vault than the one asked for
  kRecordChanged = 9,  // bytes of a record that its author did not list
  kRecordClosed = 10,  // listed bytes of a record that do not open
  kVekBoxChanged = 11,
  kVekBoxClosed = 12,  // a listed box that holds no key, or another than the EPOCH commits to
  kWrapClosed = 13,    // the same of a wrap
  kPukBoxChanged = 14,
  kPukBoxClosed = 15,
  kRow = 16,             // a row that cold reading refuses
  kOtherRow = 17,        // a row that is older than what was seen, or another in the same place
  kVekBoxNotOfKey = 18,  // an EPOCH that lists another box than its key gives
};
// "statement_refused", as programs read it.
std::string_view Name(Claim claim);

// What a device kept of something that no honest service shows (docs/protocol.md section 5):
//
//   EX  = "gw1/ex"|u8 ver|u8 claim|F[32]|u64 time_ms|run of Stmt
//         |u8 form (0 no vault, 1 chain, 2 row)|(form 1, 2: vault|run of VE)|run of exhibits
//   run = u32 n | n x var32
struct Evidence {
  enum class Form : std::uint8_t { kNone = 0, kChain = 1, kRow = 2 };

  Claim claim = Claim::kStatement;
  base::Fingerprint fingerprint{};  // as it is pinned on the device
  std::uint64_t time_ms = 0;        // of the device's clock
  // From GENESIS to where the claim is.
  std::vector<base::Bytes> statements{};
  Form form = Form::kNone;
  base::VaultId vault{};  // that was asked for; of a row that cannot be read, zero
  // From CREATE to where the claim is, or CREATE, EPOCHs, pinned REV and head of a row.
  std::vector<base::Bytes> entries{};
  // By claim:
  //   1, 2   the statement or entry              3, 4   the one that was seen, the one shown
  //   5, 6   link of the last one seen           7, 8   the GENESIS or CREATE shown
  //   9, 10  link of the REV, salt, ciphertext   11, 12 u32 epoch|member, box
  //   13     u32 epoch|u32 older                 14, 15 member|u32 gen|device, box
  //   16     -                                   17     u64 seq|link of the last one seen
  //   18     u32 epoch|member
  std::vector<base::Bytes> exhibits{};

  friend bool operator==(const Evidence&, const Evidence&) = default;
};
base::Bytes WriteEvidence(const Evidence& evidence);
// E_SIG: `bytes` are not this CE. E_UNSUPPORTED: another ver or claim.
base::Result<Evidence> ReadEvidence(base::ByteSpan bytes);

std::vector<base::Bytes> EntriesOf(const ColdRow& row);

// What evidence comes to.
//
// Proved means: the author signed bytes that the verdict refuses, and by the links in them vouches
// for all that the verdict looks at, so that no choice of what stands before makes them right. All
// else rests on the word of whoever kept the piece: a service signs nothing before there is a log,
// and anybody who holds a device's key can sign a second entry for a place that is taken.
struct Judgement {
  Claim claim = Claim::kStatement;
  bool proved = false;
  // Whom it names: nothing, the server. A guest is both member and device; root is neither.
  std::optional<Roster::Signer> author;
  base::Error finding;               // of the verdict, or what the claim amounts to
  std::optional<std::uint64_t> seq;  // of the statement or entry that it is about
  std::optional<base::VaultId> vault;
  // Who signed the one that was seen, and the one that was shown in its place.
  std::vector<Roster::Signer> signers;
};

// Runs the verdict on all of it, from GENESIS on; nothing that the file says is believed but what
// only the device can know. INVALID_ARGUMENT: it proves nothing and accuses nobody (a chain that
// does not verify, another F, exhibits that are right, missing or of another claim).
// E_UNSUPPORTED: it holds something of a later version.
base::Result<Judgement> JudgeEvidence(const Evidence& evidence);

}  // namespace godwit::protocol
