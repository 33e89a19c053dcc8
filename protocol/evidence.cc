#include "protocol/evidence.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/labels.h"
#include "protocol/record.h"
#include "protocol/vault.h"

namespace godwit::protocol {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kTag = "gw1/ex";
constexpr std::size_t kLeastRow = 3;  // CREATE, pinned REV, head

constexpr std::array<std::string_view, 18> kNames = {
    "statement_refused", "entry_refused",  "two_statements",    "two_entries",     "older_roster",
    "older_vault",       "other_realm",    "other_vault",       "record_changed",  "record_closed",
    "vek_box_changed",   "vek_box_closed", "wrap_closed",       "puk_box_changed", "puk_box_closed",
    "row_refused",       "other_row",      "vek_box_not_of_key"};

Error Nothing(base::Literal why) { return {Code::kInvalidArgument, why}; }
Error NotOfThisClaim() { return Nothing("its exhibits are not those that its claim needs"); }
Error IsRight() { return Nothing("what it accuses is as it should be"); }

void WriteRun(Writer& w, const std::vector<base::Bytes>& run) {
  w.U32(static_cast<std::uint32_t>(run.size()));
  for (const base::Bytes& item : run) w.Var32(item);
}

std::vector<base::Bytes> ReadRun(Reader& r) {
  std::vector<base::Bytes> run;
  const std::uint32_t count = r.U32();
  for (std::uint32_t i = 0; i < count && r.ok(); ++i) run.push_back(base::ToBytes(r.Var32()));
  return run;
}

base::Sha256Hash HashOf(base::ByteSpan bytes) { return base::Sha256Hash(crypto::Sha256(bytes)); }

// Who signed a statement as the next of `roster`: by `prev` for all that the verdict on it sees.
std::optional<Roster::Signer> AuthorOfNext(base::ByteSpan statement, const Roster& roster) {
  const auto raw = ReadStatement(statement);
  if (!raw || roster.empty() || raw->header.prev != roster.head()) return std::nullopt;
  Roster::Signer signer{raw->header.author_member, raw->header.author_device};
  const crypto::SigningPublicKey* key = &roster.root_pk();
  if (!signer.IsRoot()) {
    const Roster::Device* device = roster.FindDevice(signer.device);
    if (device == nullptr) return std::nullopt;
    key = &device->keys.sign_pk;
    // Whose the key is, whatever name the statement bears.
    signer.member = device->member;
  }
  if (!crypto::Verify(*key, labels::kRoster, raw->body, raw->signature)) return std::nullopt;
  return signer;
}

// Who signed an entry, by `roster_head` for the part of `roster` that the verdict on it sees.
std::optional<Roster::Signer> SignerOf(const RawEntry& raw, const Roster& roster,
                                       const GuestKeys& guests) {
  const EntryHeader& h = raw.header;
  if (h.roster_seq >= roster.size() || h.roster_head != roster.LinkAt(h.roster_seq)) {
    return std::nullopt;
  }
  Roster::Signer signer{h.author_member, h.author_device};
  const DeviceKeys* keys = nullptr;
  if (IsByGuest(h)) {
    const auto guest = guests.find(base::GuestId(h.author_member.bytes()));
    if (guest != guests.end()) keys = &guest->second;
  } else if (roster.IsListedAt(h.author_device, h.roster_seq)) {
    const Roster::Device* device = roster.FindDevice(h.author_device);
    keys = &device->keys;
    signer.member = device->member;
  }
  if (keys == nullptr || !crypto::Verify(keys->sign_pk, labels::kVault, raw.body, raw.signature)) {
    return std::nullopt;
  }
  return signer;
}

std::optional<Roster::Signer> AuthorOfNext(base::ByteSpan entry, const Vault& vault,
                                           const Roster& roster) {
  const auto raw = ReadEntry(entry);
  if (!raw || raw->header.prev != vault.head()) return std::nullopt;
  return SignerOf(*raw, roster, vault.guests());
}

// Why an entry of a row is invalid whatever else its chain holds: by itself, under the EPOCH that
// it names (if another is in force, naming it is the fault), or after the entry that it follows.
class Alone {
 public:
  Alone(const ColdRow& row, const SignedEntry& create, const Roster& roster)
      : create_(create), roster_(roster), pinned_record_(PinnedRecordOf(create.header.vault)) {
    AddNeighbour(row.create);
    for (const base::Bytes& epoch : row.epochs) AddNeighbour(epoch);
    AddNeighbour(row.pinned);
    AddNeighbour(row.head);
  }

  // Nothing where only the whole chain can tell, or nobody is bound by it.
  struct Fault {
    Roster::Signer author;
    Error why;
    std::uint64_t seq = 0;
  };
  std::optional<Fault> Find(base::ByteSpan bytes) const {
    const auto raw = ReadEntry(bytes);
    if (!raw || raw->header.vault != create_.header.vault) return std::nullopt;
    // A guest's keys stand in an EPOCH alone, so that no guest is bound here.
    const auto author = SignerOf(*raw, roster_, {});
    if (!author) return std::nullopt;
    const base::Status status = Check(bytes, *raw);
    if (status || status.error().code() == Code::kUnsupported) return std::nullopt;
    return Fault{*author, status.error(), raw->header.seq};
  }

 private:
  void AddNeighbour(base::ByteSpan bytes) {
    const auto raw = ReadEntry(bytes);
    if (!raw) return;
    auto payload = ReadEntryPayload(raw->header.type, raw->payload);
    if (payload) entries_.push_back({raw->header, EntryLink(bytes), *std::move(payload)});
  }

  const SignedEntry* ByLink(const base::Link& link) const {
    const auto found = std::ranges::find(entries_, link, &SignedEntry::link);
    return found == entries_.end() ? nullptr : &*found;
  }

  base::Status Check(base::ByteSpan bytes, const RawEntry& raw) const {
    const EntryHeader& h = raw.header;
    if (const auto signed_right = CheckSigned(bytes, roster_, {}); !signed_right) {
      return signed_right.error();
    }
    const auto payload = ReadEntryPayload(h.type, raw.payload);
    if (!payload) return payload.error();
    if (const auto status = CheckAuthorDevice(h, roster_, h.roster_seq); !status) return status;
    if (const auto status = CheckAfter(h); !status) return status;
    return CheckUnder(h, *payload);
  }

  base::Status CheckAfter(const EntryHeader& h) const {
    const SignedEntry* last = ByLink(h.prev);
    if (last == nullptr) return {};
    if (h.seq != last->header.seq + 1) {
      return Error(Code::kEntryInvalid, "an entry's seq is not the next");
    }
    if (h.roster_seq < last->header.roster_seq) {
      return Error(Code::kEntryInvalid, "an entry cites an older roster than the last");
    }
    const auto* rev = std::get_if<Rev>(&last->payload);
    const bool is_pinned = rev != nullptr && rev->record == pinned_record_;
    const bool is_epoch = std::holds_alternative<Epoch>(last->payload);
    if (h.epoch_link != (is_epoch ? last->link : last->header.epoch_link) ||
        h.pin_link != (is_pinned ? last->link : last->header.pin_link)) {
      return Error(Code::kEntryInvalid, "an entry's links to epoch and pinned record are wrong");
    }
    return {};
  }

  base::Status CheckUnder(const EntryHeader& h, const EntryPayload& payload) const {
    const Kind kind{std::get<Create>(create_.payload).kind};
    const std::uint64_t r = h.roster_seq;
    EpochInForce epoch;
    if (!h.epoch_link.IsZero()) {
      const SignedEntry* named = ByLink(h.epoch_link);
      const auto* listed = named == nullptr ? nullptr : std::get_if<Epoch>(&named->payload);
      if (listed == nullptr) return {};
      epoch = InForce(named->header, named->link, *listed);
    }
    if (const auto* next = std::get_if<Epoch>(&payload)) {
      // Which STATE is in effect does not show here; erase_day alone allows more than none does.
      const auto under = [&](const State& state) {
        return CheckEpoch(
            h, *next, {kind, create_.header.author_member, create_.header.roster_seq, epoch, state},
            roster_, r);
      };
      const auto status = under({});
      return status || under({.frozen = 0, .hold = 0, .erase_day = 1}) ? base::Status() : status;
    }
    if (const auto* rev = std::get_if<Rev>(&payload)) {
      return CheckRev(h, *rev, kind, epoch, rev->record == pinned_record_, roster_, r);
    }
    if (const auto* tomb = std::get_if<Tomb>(&payload)) {
      const auto perm =
          CheckTomb(h, *tomb, kind, epoch, tomb->record == pinned_record_, roster_, r);
      return perm ? base::Status() : perm.error();
    }
    if (std::holds_alternative<State>(payload)) {
      return CheckStateAuthor(h, kind, epoch, roster_, r);
    }
    if (const auto* assent = std::get_if<Assent>(&payload)) {
      return CheckAssent(h, *assent, kind, epoch, roster_, r);
    }
    if (const auto* ask = std::get_if<Ask>(&payload)) {
      return CheckAsk(h, *ask, kind, epoch, roster_, r);
    }
    return {};
  }

  const SignedEntry& create_;
  const Roster& roster_;
  base::RecordId pinned_record_;
  std::vector<SignedEntry> entries_;
};

base::Result<ColdRow> RowOf(const std::vector<base::Bytes>& entries) {
  if (entries.size() < kLeastRow) return Nothing("its row is not whole");
  ColdRow row;
  row.create = entries.front();
  row.epochs.assign(entries.begin() + 1, entries.end() - 2);
  row.pinned = entries[entries.size() - 2];
  row.head = entries.back();
  return row;
}

class Judge {
 public:
  explicit Judge(const Evidence& evidence) : evidence_(evidence) {}

  base::Result<Judgement> Run() {
    if (const auto status = TakeRoster(); !status) return status.error();
    switch (evidence_.claim) {
      case Claim::kStatement:
        return OfStatement();
      case Claim::kTwoStatements:
        return OfTwoStatements();
      case Claim::kOtherRealm:
        return OfOtherRealm();
      default:
        break;
    }
    if (roster_.empty()) return Nothing("it has no roster");
    switch (evidence_.claim) {
      case Claim::kOlderRoster:
        return OfOlderRoster();
      case Claim::kPukBoxChanged:
      case Claim::kPukBoxClosed:
        return OfPukBox();
      default:
        break;
    }
    if (evidence_.form == Evidence::Form::kNone) return Nothing("it has no vault");
    if (evidence_.claim == Claim::kRow) return OfRow();
    if (const auto status = TakeVault(); !status) return status.error();
    switch (evidence_.claim) {
      case Claim::kEntry:
        return OfEntry();
      case Claim::kTwoEntries:
        return OfTwoEntries();
      case Claim::kOlderVault:
        return OfOlderVault();
      case Claim::kOtherVault:
        return OfOtherVault();
      case Claim::kRecordChanged:
      case Claim::kRecordClosed:
        return OfRecord();
      case Claim::kVekBoxChanged:
      case Claim::kVekBoxClosed:
        return OfVekBox();
      case Claim::kWrapClosed:
        return OfWrap();
      case Claim::kOtherRow:
        return OfOtherRow();
      default:  // kVekBoxNotOfKey
        return OfListedBox();
    }
  }

 private:
  base::ByteSpan Exhibit(std::size_t index) const { return evidence_.exhibits[index]; }
  bool Has(std::size_t count) const { return evidence_.exhibits.size() == count; }

  base::Status TakeRoster() {
    for (const base::Bytes& statement : evidence_.statements) {
      const auto status = roster_.Append(statement);
      if (status) continue;
      if (status.error().code() == Code::kUnsupported) return status;
      return Nothing("the roster in it does not verify");
    }
    if (!roster_.empty() && roster_.fingerprint() != evidence_.fingerprint) {
      return Nothing("the roster in it has another fingerprint than the one it says is pinned");
    }
    return {};
  }

  // The chain or row must be good as far as it goes.
  base::Status TakeVault() {
    if (evidence_.form == Evidence::Form::kRow) {
      const auto row = RowOf(evidence_.entries);
      if (!row) return row.error();
      auto cold = ReadCold(*row, roster_);
      if (!cold) {
        if (cold.error().code() == Code::kUnsupported) return cold.error();
        return Nothing("the row in it does not verify");
      }
      cold_ = *std::move(cold);
      for (const base::Bytes& bytes : evidence_.entries) {
        const auto raw = ReadEntry(bytes);
        entries_.push_back(
            {raw->header, EntryLink(bytes), *ReadEntryPayload(raw->header.type, raw->payload)});
      }
    } else {
      for (const base::Bytes& bytes : evidence_.entries) {
        const auto entry = chain_.Judge(bytes, roster_);
        if (!entry) {
          if (entry.error().code() == Code::kUnsupported) return entry.error();
          return Nothing("the vault's chain in it does not verify");
        }
        chain_.Take(*entry);
        entries_.push_back(*entry);
      }
    }
    if (!entries_.empty() && entries_.front().header.vault != evidence_.vault) {
      return Nothing("its entries are of another vault than it says");
    }
    return {};
  }

  Judgement OnTheWord(Error finding, std::optional<std::uint64_t> seq,
                      std::optional<Roster::Signer> author = {}) const {
    Judgement judgement{evidence_.claim, false, author, finding, seq, {}, {}};
    if (evidence_.form != Evidence::Form::kNone) judgement.vault = evidence_.vault;
    return judgement;
  }
  // Of bytes that the verdict refuses: against the author where there is one who is bound by them,
  // else against the server, which showed them.
  base::Result<Judgement> Refused(const Error& why, std::uint64_t seq,
                                  const std::optional<Roster::Signer>& author) const {
    if (why.code() == Code::kUnsupported) return why;
    Judgement judgement = OnTheWord(why, seq, author);
    judgement.proved = author.has_value();
    return judgement;
  }

  base::Result<Judgement> OfStatement() {
    if (!Has(1)) return NotOfThisClaim();
    const std::uint64_t seq = roster_.size();
    const auto author = AuthorOfNext(Exhibit(0), roster_);
    Roster next = roster_;
    const auto status = next.Append(Exhibit(0));
    if (status) return IsRight();
    return Refused(status.error(), seq, author);
  }

  base::Result<Judgement> OfTwoStatements() {
    if (!Has(2)) return NotOfThisClaim();
    const std::uint64_t seq = roster_.size();
    Roster seen = roster_;
    if (!seen.Append(Exhibit(0)) || seen.fingerprint() != evidence_.fingerprint) {
      return Nothing("the statement that was seen first does not verify");
    }
    if (std::ranges::equal(Exhibit(0), Exhibit(1))) return IsRight();
    const auto author = AuthorOfNext(Exhibit(1), roster_);
    Roster shown = roster_;
    const auto status = shown.Append(Exhibit(1));
    if (!status) return Refused(status.error(), seq, author);
    auto judgement =
        OnTheWord({Code::kFork, "two statements in one place, and each is valid there"}, seq);
    if (author) judgement.signers = {*AuthorOfNext(Exhibit(0), roster_), *author};
    return judgement;
  }

  base::Result<Judgement> OfOlderRoster() {
    if (!Has(1)) return NotOfThisClaim();
    if (!std::ranges::equal(Exhibit(0), roster_.head().bytes())) {
      return Nothing("its roster does not end with what it says was seen");
    }
    return OnTheWord({Code::kRollback, "an older roster was shown than had been seen"},
                     roster_.head_seq());
  }

  base::Result<Judgement> OfOtherRealm() {
    if (!Has(1) || !roster_.empty()) return NotOfThisClaim();
    Roster other;
    if (const auto status = other.Append(Exhibit(0)); !status) {
      if (status.error().code() == Code::kUnsupported) return status.error();
      return Nothing("the other realm's GENESIS does not verify");
    }
    if (other.fingerprint() == evidence_.fingerprint) return IsRight();
    return OnTheWord({Code::kRosterInvalid, "the roster of another realm was shown"}, 0);
  }

  base::Result<Judgement> OfPukBox() {
    if (!Has(2)) return NotOfThisClaim();
    Reader r(Exhibit(0));
    const auto member_id = r.Take<base::MemberId>();
    const std::uint32_t gen = r.U32();
    const auto device = r.Take<base::DeviceId>();
    if (!r.Done()) return NotOfThisClaim();
    const Roster::Member* member = roster_.FindMember(member_id);
    if (member == nullptr) return Nothing("its roster lists no such box");
    const auto found = std::ranges::find(member->puks, gen, &Roster::PukGen::gen);
    const Roster::PukGen* puk = found == member->puks.end() ? nullptr : &*found;
    if (puk == nullptr) return Nothing("its roster lists no such box");
    const auto listed = puk->box_hashes.find(device);
    if (listed == puk->box_hashes.end()) return Nothing("its roster lists no such box");
    const bool is_listed = HashOf(Exhibit(1)) == listed->second;
    if (evidence_.claim == Claim::kPukBoxChanged) {
      if (is_listed) return IsRight();
      return OnTheWord({Code::kKeyMismatch, "a box of a PUK was shown that is not the listed one"},
                       puk->seq);
    }
    if (!is_listed) return Nothing("the box is not the one that its author listed");
    const auto [seq, author] = WhoListed(device, gen, listed->second);
    return OnTheWord(
        {Code::kKeyMismatch, "a listed box of a PUK does not hold the key that was listed"}, seq,
        author);
  }

  // The PUK_ROTATE or DEVICE_ADD that lists a box of a PUK, and its author.
  std::pair<std::uint64_t, Roster::Signer> WhoListed(const base::DeviceId& device,
                                                     std::uint32_t gen,
                                                     const base::Sha256Hash& hash) const {
    // The roster that was made of them lists it, so one of them does.
    for (std::uint64_t seq = 0;; ++seq) {
      const auto raw = ReadStatement(evidence_.statements[seq]);
      const auto payload = ReadStatementPayload(raw->header.type, raw->payload);
      const auto* rotate = std::get_if<PukRotate>(&*payload);
      const auto* add = std::get_if<DeviceAdd>(&*payload);
      const bool lists = rotate != nullptr
                             ? rotate->gen == gen && rotate->box_hashes.contains(device) &&
                                   rotate->box_hashes.at(device) == hash
                             : add != nullptr && add->puk_gen == gen &&
                                   DeviceIdOf(add->device) == device && add->box_hash == hash;
      if (lists) return {seq, {raw->header.author_member, raw->header.author_device}};
    }
  }

  base::Result<Judgement> OfEntry() {
    if (!Has(1) || evidence_.form != Evidence::Form::kChain) return NotOfThisClaim();
    const auto entry = chain_.Judge(Exhibit(0), roster_);
    if (entry) return IsRight();
    const auto author = AuthorOfNext(Exhibit(0), chain_, roster_);
    auto judgement = Refused(entry.error(), chain_.size(), author);
    // Of a first entry only what its author signed says which vault it is of.
    if (judgement && author) judgement->vault = ReadEntry(Exhibit(0))->header.vault;
    return judgement;
  }

  base::Result<Judgement> OfTwoEntries() {
    if (!Has(2) || evidence_.form != Evidence::Form::kChain) return NotOfThisClaim();
    const auto seen = chain_.Judge(Exhibit(0), roster_);
    if (!seen || seen->header.vault != evidence_.vault) {
      return Nothing("the entry that was seen first does not verify");
    }
    if (std::ranges::equal(Exhibit(0), Exhibit(1))) return IsRight();
    const auto author = AuthorOfNext(Exhibit(1), chain_, roster_);
    const auto shown = chain_.Judge(Exhibit(1), roster_);
    if (!shown) return Refused(shown.error(), chain_.size(), author);
    if (shown->header.vault != evidence_.vault) return OfAnotherVault();
    auto judgement = OnTheWord({Code::kFork, "two entries in one place, and each is valid there"},
                               chain_.size());
    judgement.signers = {*AuthorOfNext(Exhibit(0), chain_, roster_), *author};
    return judgement;
  }

  base::Result<Judgement> OfOlderVault() {
    // That of a row is empty.
    if (!Has(1) || chain_.empty()) return NotOfThisClaim();
    if (!std::ranges::equal(Exhibit(0), chain_.head().bytes())) {
      return Nothing("its chain does not end with what it says was seen");
    }
    return OnTheWord({Code::kRollback, "an older state of a vault was shown than had been seen"},
                     chain_.head_seq());
  }

  base::Result<Judgement> OfOtherVault() {
    if (!Has(1) || !entries_.empty()) return NotOfThisClaim();
    const auto create = chain_.Judge(Exhibit(0), roster_);
    if (!create) {
      if (create.error().code() == Code::kUnsupported) return create.error();
      return Nothing("the other vault's CREATE does not verify");
    }
    if (create->header.vault == evidence_.vault) return IsRight();
    return OfAnotherVault();
  }
  Judgement OfAnotherVault() const {
    return OnTheWord({Code::kEntryInvalid, "another vault was shown than the one asked for"}, 0);
  }

  base::Result<Judgement> OfRecord() {
    if (!Has(3)) return NotOfThisClaim();
    const auto at = std::ranges::find_if(entries_, [&](const SignedEntry& entry) {
      return std::ranges::equal(entry.link.bytes(), Exhibit(0));
    });
    const auto* rev = at == entries_.end() ? nullptr : std::get_if<Rev>(&at->payload);
    if (rev == nullptr) return Nothing("its vault has no such revision of a record");
    const bool are_listed = AreListed(*rev, Exhibit(1), Exhibit(2));
    if (evidence_.claim == Claim::kRecordChanged) {
      if (are_listed) return IsRight();
      return OnTheWord(
          {Code::kDecrypt, "bytes of a record were shown that its author never listed"},
          at->header.seq);
    }
    if (!are_listed) return Nothing("the record's bytes are not those that its author listed");
    return OnTheWord({Code::kDecrypt, "the listed bytes of a record do not open"}, at->header.seq,
                     AuthorOf(*at));
  }

  base::Result<Judgement> OfVekBox() {
    if (!Has(2)) return NotOfThisClaim();
    Reader r(Exhibit(0));
    const std::uint32_t number = r.U32();
    const auto member = r.Take<base::MemberId>();
    if (!r.Done()) return NotOfThisClaim();
    const SignedEntry* at = EpochOf(number);
    if (at == nullptr) return Nothing("its vault has no such epoch");
    const Epoch& epoch = std::get<Epoch>(at->payload);
    const auto* listed = BoxOf(epoch, member);
    if (listed == nullptr) return Nothing("the epoch lists no such box");
    const bool is_listed = HashOf(Exhibit(1)) == *listed;
    if (evidence_.claim == Claim::kVekBoxChanged) {
      if (is_listed) return IsRight();
      return OnTheWord(
          {Code::kKeyMismatch, "a box of a vault's key was shown that is not the listed one"},
          at->header.seq);
    }
    if (!is_listed) return Nothing("the box is not the one that its author listed");
    return OnTheWord({Code::kKeyMismatch, "a listed box does not hold the key of its epoch"},
                     at->header.seq, AuthorOf(*at));
  }

  base::Result<Judgement> OfWrap() {
    if (!Has(1)) return NotOfThisClaim();
    Reader r(Exhibit(0));
    const std::uint32_t number = r.U32();
    const std::uint32_t older = r.U32();
    if (!r.Done()) return NotOfThisClaim();
    const SignedEntry* at = EpochOf(number);
    if (at == nullptr || !std::get<Epoch>(at->payload).wraps.contains(older)) {
      return Nothing("its vault has no such wrap");
    }
    return OnTheWord({Code::kKeyMismatch, "a wrap does not hold the key of its older epoch"},
                     at->header.seq, AuthorOf(*at));
  }

  base::Result<Judgement> OfListedBox() {
    if (!Has(1)) return NotOfThisClaim();
    Reader r(Exhibit(0));
    const std::uint32_t number = r.U32();
    const auto member = r.Take<base::MemberId>();
    if (!r.Done()) return NotOfThisClaim();
    const SignedEntry* at = EpochOf(number);
    if (at == nullptr) return Nothing("its vault has no such epoch");
    if (BoxOf(std::get<Epoch>(at->payload), member) == nullptr) {
      return Nothing("its epoch lists no box for this member");
    }
    return OnTheWord({Code::kKeyMismatch, "an epoch lists a box that is not of its key"},
                     at->header.seq, AuthorOf(*at));
  }

  base::Result<Judgement> OfRow() {
    if (!Has(0) || evidence_.form != Evidence::Form::kRow) return NotOfThisClaim();
    const auto row = RowOf(evidence_.entries);
    if (!row) return row.error();
    const auto cold = ReadCold(*row, roster_);
    if (cold) return IsRight();
    if (cold.error().code() == Code::kUnsupported) return cold.error();
    const auto create = chain_.Judge(row->create, roster_);
    if (!create) {
      return Refused(create.error(), 0, AuthorOfNext(row->create, chain_, roster_));
    }
    const Alone alone(*row, *create, roster_);
    for (const base::Bytes& entry : std::span(evidence_.entries).subspan(1)) {
      if (const auto fault = alone.Find(entry))
        return Refused(fault->why, fault->seq, fault->author);
    }
    auto judgement = OnTheWord(cold.error(), std::nullopt);
    judgement.vault = create->header.vault;
    return judgement;
  }

  base::Result<Judgement> OfOtherRow() {
    if (!Has(1) || !cold_) return NotOfThisClaim();
    Reader r(Exhibit(0));
    const std::uint64_t seq = r.U64();
    const auto link = r.Take<base::Link>();
    if (!r.Done()) return NotOfThisClaim();
    if (cold_->head_seq < seq) {
      return OnTheWord({Code::kRollback, "an older row of a vault was shown than had been seen"},
                       cold_->head_seq);
    }
    if (cold_->head_seq > seq || cold_->head == link) return IsRight();
    return OnTheWord({Code::kFork, "another row of a vault was shown than had been seen"}, seq);
  }

  const SignedEntry* EpochOf(std::uint32_t number) const {
    for (const SignedEntry& entry : entries_) {
      const auto* epoch = std::get_if<Epoch>(&entry.payload);
      if (epoch != nullptr && epoch->epoch == number) return &entry;
    }
    return nullptr;
  }
  // The hash of the box that an EPOCH lists for a member; nullptr: there is none.
  static const base::Sha256Hash* BoxOf(const Epoch& epoch, const base::MemberId& member) {
    const auto row = std::ranges::find_if(epoch.list, [&](const auto& listed) {
      return listed.first == member && listed.second.puk_gen != 0;
    });
    return row == epoch.list.end() ? nullptr : &row->second.box_hash;
  }
  static Roster::Signer AuthorOf(const SignedEntry& entry) {
    return {entry.header.author_member, entry.header.author_device};
  }

  const Evidence& evidence_;
  Roster roster_;
  Vault chain_;
  std::optional<ColdVault> cold_;
  std::vector<SignedEntry> entries_;
};

}  // namespace

std::string_view Name(Claim claim) { return kNames[static_cast<std::size_t>(claim) - 1]; }

base::Bytes WriteEvidence(const Evidence& evidence) {
  Writer w;
  w.Raw(kTag).U8(kVersion).U8(static_cast<std::uint8_t>(evidence.claim));
  w.Fixed(evidence.fingerprint).U64(evidence.time_ms);
  WriteRun(w, evidence.statements);
  w.U8(static_cast<std::uint8_t>(evidence.form));
  if (evidence.form != Evidence::Form::kNone) {
    w.Fixed(evidence.vault);
    WriteRun(w, evidence.entries);
  }
  WriteRun(w, evidence.exhibits);
  return w.Take();
}

base::Result<Evidence> ReadEvidence(base::ByteSpan bytes) {
  const Error none(Code::kSig, "these bytes are no evidence");
  Reader r(bytes);
  if (!std::ranges::equal(r.Raw(kTag.size()), base::AsBytes(kTag))) return none;
  const std::uint8_t ver = r.U8();
  const std::uint8_t claim = r.U8();
  if (!r.ok()) return none;
  if (ver != kVersion || claim < 1 || claim > kNames.size()) {
    return Error(Code::kUnsupported, "evidence that this Godwit does not know: update it");
  }
  Evidence evidence;
  evidence.claim = Claim{claim};
  evidence.fingerprint = r.Take<base::Fingerprint>();
  evidence.time_ms = r.U64();
  evidence.statements = ReadRun(r);
  const std::uint8_t form = r.U8();
  if (form > static_cast<std::uint8_t>(Evidence::Form::kRow)) return none;
  evidence.form = Evidence::Form{form};
  if (evidence.form != Evidence::Form::kNone) {
    evidence.vault = r.Take<base::VaultId>();
    evidence.entries = ReadRun(r);
  }
  evidence.exhibits = ReadRun(r);
  if (!r.Done()) return none;
  return evidence;
}

std::vector<base::Bytes> EntriesOf(const ColdRow& row) {
  std::vector<base::Bytes> entries{row.create};
  entries.insert(entries.end(), row.epochs.begin(), row.epochs.end());
  entries.push_back(row.pinned);
  entries.push_back(row.head);
  return entries;
}

base::Result<Judgement> JudgeEvidence(const Evidence& evidence) { return Judge(evidence).Run(); }

}  // namespace godwit::protocol
