#include "client/realm.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/session.h"
#include "protocol/statement.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr int kTries = 8;
constexpr char kPukBoxes[] = "puk-boxes";

base::Bytes WritePukBoxes(const std::map<std::uint32_t, base::Bytes>& boxes) {
  protocol::Writer w;
  w.U16(static_cast<std::uint16_t>(boxes.size()));
  for (const auto& [gen, box] : boxes) w.U32(gen).Var16(box);
  return w.Take();
}

std::map<std::uint32_t, base::Bytes> ReadPukBoxes(base::ByteSpan bytes) {
  std::map<std::uint32_t, base::Bytes> boxes;
  protocol::Reader reader(bytes);
  reader.List([&](protocol::Reader& r) {
    const std::uint32_t gen = r.U32();
    r.KeyEnds();
    boxes[gen] = base::ToBytes(r.Var16());
  });
  return boxes;
}

// Races that another look at the service resolves.
bool IsRace(Code code) {
  return code == Code::kConflict || code == Code::kStaleRoster || code == Code::kFork;
}

}  // namespace

bool IsLostAnswer(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadline || code == Code::kResourceExhausted;
}

Realm::Realm(UnlockedRealm keys, protocol::Device device)
    : keys_(std::move(keys)),
      id_(protocol::RealmOf(keys_.info.fingerprint)),
      device_(std::move(device)) {}

Realm::~Realm() = default;

base::Result<std::unique_ptr<Realm>> Realm::Open(UnlockedRealm keys,
                                                 const std::filesystem::path& store_path) {
  auto device = protocol::Device::FromSeed(keys.seed);
  if (!device) return device.error();
  std::unique_ptr<Realm> realm(new Realm(std::move(keys), *std::move(device)));
  auto store = Store::Open(store_path, realm->keys_.store_key, realm->id_);
  if (!store) return store.error();
  realm->store_ = std::make_unique<Store>(*std::move(store));

  const auto statements = realm->store_->Roster();
  if (!statements) return statements.error();
  for (const base::Bytes& statement : *statements) {
    if (const auto status = realm->roster_.Append(statement); !status) return status.error();
  }
  if (!statements->empty()) {
    if (realm->roster_.fingerprint() != realm->keys_.info.fingerprint) {
      return Error(Code::kStateLost, "the local store belongs to another realm than the keystore");
    }
    realm->last_statement_ = statements->back();
  }
  if (const auto status = realm->LoadPuks(); !status) return status.error();

  transport::RealmAddress address;
  for (const auto& [host, pin] : realm->keys_.info.hosts) {
    if (address.host_port.empty()) address.host_port = host;
    address.pins.push_back(pin);
  }
  realm->server_ = std::make_unique<transport::RealmClient>(std::move(address));
  realm->server_->SetProver(
      [self = realm.get()](const base::Sha256Hash& spki,
                           base::ByteSpan server_nonce) -> base::Result<base::Bytes> {
        protocol::SessionRequest request;
        request.realm = self->id_;
        request.device = self->device_.id();
        request.spki = spki;
        if (server_nonce.size() != request.server_nonce.size()) {
          return Error(Code::kInternal, "the service gave a nonce of another length");
        }
        std::ranges::copy(server_nonce, request.server_nonce.begin());
        crypto::FillRandom(request.client_nonce);
        return protocol::SignSessionRequest(request, self->device_.signing_key());
      });
  return realm;
}

protocol::Roles Realm::roles() const {
  return roster_.empty() ? protocol::Roles{0} : roster_.RolesAt(member(), roster_.head_seq());
}

protocol::EntryHeader Realm::EntryHeaderNow() const {
  protocol::EntryHeader header;
  header.realm = id_;
  header.author_member = member();
  header.author_device = device_.id();
  header.roster_seq = roster_.head_seq();
  header.roster_head = roster_.head();
  return header;
}

void Realm::KeepEvidence(const Error& error, base::ByteSpan content) {
  // Keeping it is a help for later; that it cannot be kept must not hide the error itself.
  (void)store_->KeepEvidence(error.code(), content);
}

Status Realm::TakeStatements(std::uint64_t from_seq, const std::vector<base::Bytes>& statements) {
  std::vector<base::Bytes> news = statements;
  // The first one asked for is the last one known: the service must still have it (R7).
  if (from_seq < roster_.size()) {
    if (news.empty()) {
      const Error error(Code::kRollback,
                        "the service shows an older roster than before: tell your colleagues by "
                        "another way, and keep the evidence");
      KeepEvidence(error, *last_statement_);
      return error;
    }
    if (news.front() != *last_statement_) {
      const Error error(Code::kFork,
                        "the service shows another roster than before: tell your colleagues by "
                        "another way, and keep the evidence");
      base::Bytes both = *last_statement_;
      base::Append(both, news.front());
      KeepEvidence(error, both);
      return error;
    }
    news.erase(news.begin());
  }
  if (news.empty()) return {};
  protocol::Roster next = roster_;
  for (const base::Bytes& statement : news) {
    if (const auto status = next.Append(statement); !status) {
      if (status.error().code() != Code::kUnsupported) KeepEvidence(status.error(), statement);
      return status;
    }
  }
  if (next.fingerprint() != keys_.info.fingerprint) {
    const Error error(Code::kRosterInvalid,
                      "the service shows the roster of another realm than the one pinned here");
    KeepEvidence(error, news.front());
    return error;
  }
  if (const auto status = store_->AppendRoster(roster_.size(), news); !status) return status;
  roster_ = std::move(next);
  last_statement_ = news.back();
  return {};
}

Status Realm::FetchStatements() {
  const std::uint64_t from = roster_.empty() ? 0 : roster_.head_seq();
  const auto statements = server_->FetchRoster(from);
  if (!statements) return statements.error();
  return TakeStatements(from, *statements);
}

Status Realm::Sync() {
  if (const auto status = FetchStatements(); !status) return status;
  return EnsurePuk();
}

Status Realm::SyncUnder(const base::InviteId& invite) {
  const std::uint64_t from = roster_.empty() ? 0 : roster_.head_seq();
  const auto statements = server_->FetchRoster(from, invite);
  if (!statements) return statements.error();
  return TakeStatements(from, *statements);
}

base::Result<std::uint64_t> Realm::Author(const protocol::StatementPayload& payload,
                                          std::vector<transport::DeviceBox> boxes) {
  const auto missing = [&](std::uint64_t seq) -> std::uint64_t {
    const auto* waits = roster_.FindPending(roster_.LinkAt(seq));
    return waits == nullptr ? 0 : roster_.MissingSignatures(*waits);
  };
  std::map<std::uint64_t, base::Link> tries;
  for (int i = 0;; ++i) {
    protocol::StatementHeader header;
    header.realm = id_;
    header.seq = roster_.size();
    header.prev = roster_.head();
    header.author_member = member();
    header.author_device = device_.id();
    header.time_ms = base::SystemClock().NowMs();
    const base::Bytes statement = protocol::SignStatement(header, payload, device_.signing_key());
    // What the own verifier refuses is not sent.
    protocol::Roster next = roster_;
    if (const auto status = next.Append(statement); !status) return status.error();
    const auto sent = server_->AppendStatements({{statement, boxes}});
    if (sent) {
      if (const auto status = store_->AppendRoster(roster_.size(), {statement}); !status) {
        return status.error();
      }
      roster_ = std::move(next);
      last_statement_ = statement;
      return missing(header.seq);
    }
    const Code code = sent.error().code();
    if (!(IsRace(code) || IsLostAnswer(code)) || i + 1 == kTries) return sent.error();
    tries.emplace(header.seq, protocol::StatementLink(statement));
    if (const auto status = FetchStatements(); !status) return status.error();
    for (const auto& [seq, link] : tries) {
      if (seq < roster_.size() && roster_.LinkAt(seq) == link) return missing(seq);
    }
  }
}

Status Realm::RotatePuk() {
  auto puk = protocol::Puk::Random();
  if (!puk) return puk.error();
  auto pair = protocol::PukKem(*puk);
  if (!pair) return pair.error();
  const std::uint64_t head = roster_.head_seq();
  const auto* last = roster_.PukAt(member(), head);
  protocol::PukRotate rotate;
  rotate.member = member();
  rotate.gen = (last == nullptr ? 0 : last->gen) + 1;
  rotate.kems = {{protocol::kAlgX25519, pair->public_key}};
  if (last != nullptr) {
    // The newest older PUK that this device knows; none is an honest answer.
    for (std::uint32_t gen = last->gen; gen > 0; --gen) {
      if (!PukPair(gen)) continue;
      auto wrap = protocol::WrapPreviousPuk(*puk, id_, member(), rotate.gen, gen, puks_.at(gen));
      if (!wrap) return wrap.error();
      rotate.prev_gen = gen;
      rotate.prev_wrap = *std::move(wrap);
      break;
    }
  }
  std::vector<transport::DeviceBox> boxes;
  for (const base::DeviceId& device : roster_.ActiveDevicesAt(member(), head)) {
    auto box = protocol::SealPuk(*puk, id_, member(), rotate.gen, device,
                                 roster_.FindDevice(device)->keys.kems);
    if (!box) return box.error();
    rotate.box_hashes[device] = base::Sha256Hash(crypto::Sha256(*box));
    if (device == device_.id()) puk_boxes_[rotate.gen] = *box;
    boxes.push_back({device, *std::move(box)});
  }
  if (const auto authored = Author(rotate, std::move(boxes)); !authored) {
    puk_boxes_.erase(rotate.gen);
    // Another device of this member came first, with a PUK that is as new as this one.
    const auto* newest = roster_.PukAt(member(), roster_.head_seq());
    const bool late = newest != nullptr && newest->gen >= rotate.gen;
    if (late && !roster_.IsStaleAt(member(), roster_.head_seq())) return {};
    return authored.error();
  }
  puks_.emplace(rotate.gen, *std::move(puk));
  puk_pairs_.emplace(rotate.gen, *std::move(pair));
  return store_->Put(kPukBoxes, WritePukBoxes(puk_boxes_));
}

Status Realm::LoadPuks() {
  const auto boxes = store_->Get(kPukBoxes);
  if (!boxes) return boxes.error();
  if (*boxes) puk_boxes_ = ReadPukBoxes(**boxes);
  return {};
}

// The self-audit of section 4 as far as one device goes: this device must be in the roster, under
// this member, with a PUK that it can open.
Status Realm::EnsurePuk() {
  const std::uint64_t head = roster_.head_seq();
  const auto* listed = roster_.FindDevice(device_.id());
  if (listed == nullptr) {
    return Error(Code::kPermissionDenied,
                 "this device is not in the roster: finish joining, or ask for an invitation");
  }
  if (listed->member != member()) {
    return Error(Code::kRosterInvalid, "the roster lists this device under another member");
  }
  if (!roster_.IsActiveAt(device_.id(), head)) {
    return Error(Code::kPermissionDenied,
                 "this device was revoked: what it holds stays readable here, nothing new comes; "
                 "ask an admin for a new invitation");
  }
  if (roster_.PukAt(member(), head) == nullptr || roster_.IsStaleAt(member(), head)) {
    if (const auto status = RotatePuk(); !status) return status;
  }
  const auto* puk = roster_.PukAt(member(), roster_.head_seq());
  if (!puk_boxes_.contains(puk->gen)) {
    const auto boxes = server_->FetchPukBoxes(puk_boxes_.empty() ? 1 : puk_boxes_.rbegin()->first);
    if (!boxes) return boxes.error();
    for (const auto& box : *boxes) {
      const base::Sha256Hash* hash = ListedPukBox(box.gen);
      if (hash == nullptr) continue;
      // Kept, it would stand in the place of the right one.
      if (base::Sha256Hash(crypto::Sha256(box.box)) != *hash) {
        const Error error(Code::kKeyMismatch,
                          "the service changed the box of a PUK: what it sent is refused");
        KeepEvidence(error, box.box);
        return error;
      }
      puk_boxes_[box.gen] = box.box;
    }
    if (const auto status = store_->Put(kPukBoxes, WritePukBoxes(puk_boxes_)); !status) {
      return status;
    }
  }
  const auto pair = PukPair(puk->gen);
  if (!pair && pair.error().code() == Code::kKeyMismatch) {
    // The box is the listed one, so the fault is its author's: evidence, and a new PUK.
    KeepEvidence(pair.error(), puk_boxes_[puk->gen]);
    puk_boxes_.erase(puk->gen);
    return RotatePuk();
  }
  if (!pair) return pair.error();
  return {};
}

const base::Sha256Hash* Realm::ListedPukBox(std::uint32_t gen) const {
  const auto* self = roster_.FindMember(member());
  if (self == nullptr) return nullptr;
  const auto listed = std::ranges::find(self->puks, gen, &protocol::Roster::PukGen::gen);
  if (listed == self->puks.end()) return nullptr;
  const auto hash = listed->box_hashes.find(device_.id());
  return hash == listed->box_hashes.end() ? nullptr : &hash->second;
}

base::Result<const crypto::KemKeyPair*> Realm::PukPair(std::uint32_t gen) {
  if (const auto known = puk_pairs_.find(gen); known != puk_pairs_.end()) return &known->second;
  const Error mismatch(Code::kKeyMismatch, "a PUK is not the one that the roster lists");
  const Error unreachable(Code::kNotFound, "this device cannot reach that PUK");
  const auto* self = roster_.FindMember(member());
  if (self == nullptr) return unreachable;
  const auto listed = std::ranges::find(self->puks, gen, &protocol::Roster::PukGen::gen);
  if (listed == self->puks.end()) return unreachable;

  std::optional<protocol::Puk> puk;
  const base::Sha256Hash* hash = ListedPukBox(gen);
  if (const auto box = puk_boxes_.find(gen); box != puk_boxes_.end() && hash != nullptr) {
    if (base::Sha256Hash(crypto::Sha256(box->second)) != *hash) return mismatch;
    auto opened = protocol::OpenPuk(box->second, id_, member(), gen, device_);
    if (!opened) return mismatch;
    puk = *std::move(opened);
  } else {
    for (const auto& newer : self->puks) {
      if (newer.prev_gen != gen) continue;
      if (const auto pair = PukPair(newer.gen); !pair) continue;
      auto opened = protocol::UnwrapPreviousPuk(puks_.at(newer.gen), id_, member(), newer.gen, gen,
                                                newer.prev_wrap);
      if (!opened) return mismatch;
      puk = *std::move(opened);
      break;
    }
  }
  if (!puk) return unreachable;
  // The public half is computed anew and must be the listed one.
  auto pair = protocol::PukKem(*puk);
  if (!pair) return pair.error();
  if (pair->public_key != listed->kems.at(protocol::kAlgX25519)) return mismatch;
  puks_.emplace(gen, *std::move(puk));
  return &puk_pairs_.emplace(gen, *std::move(pair)).first->second;
}

}  // namespace godwit::client
