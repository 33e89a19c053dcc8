#include "client/self_audit.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <variant>

#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/statement.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr char kSelfAudit[] = "self-audit";

// list(device;)|list(SHA-256 of a PUK's key[32];)|u64 notices shown up to this seq
struct Record {
  std::set<base::DeviceId> devices;
  std::set<base::Sha256Hash> puks;
  std::uint64_t shown = 0;
};

base::Result<Record> ReadRecord(Store& store) {
  const auto value = store.Get(kSelfAudit);
  if (!value) return value.error();
  Record record;
  if (!*value) return record;
  protocol::Reader reader(**value);
  reader.List([&](protocol::Reader& r) {
    record.devices.insert(r.Take<base::DeviceId>());
    r.KeyEnds();
  });
  reader.List([&](protocol::Reader& r) {
    record.puks.insert(r.Take<base::Sha256Hash>());
    r.KeyEnds();
  });
  record.shown = reader.U64();
  if (!reader.Done()) {
    return Error(Code::kStateLost, "what this device knows of its own member is malformed");
  }
  return record;
}

Status WriteRecord(Store& store, const Record& record) {
  protocol::Writer writer;
  writer.U16(static_cast<std::uint16_t>(record.devices.size()));
  for (const auto& device : record.devices) writer.Fixed(device);
  writer.U16(static_cast<std::uint16_t>(record.puks.size()));
  for (const auto& puk : record.puks) writer.Fixed(puk);
  writer.U64(record.shown);
  return store.Put(kSelfAudit, writer.Take());
}

template <class Change>
Status ChangeRecord(Store& store, const Change& change) {
  auto record = ReadRecord(store);
  if (!record) return record.error();
  change(*record);
  return WriteRecord(store, *record);
}

// The seq at which this device was added; nothing while the roster does not list it.
std::optional<std::uint64_t> AddedSeq(const Realm& realm) {
  if (realm.roster().empty()) return std::nullopt;
  const auto* own = realm.roster().FindDevice(realm.device().id());
  if (own == nullptr) return std::nullopt;
  return own->added_seq;
}

base::Sha256Hash HashOf(const protocol::Roster::PukGen& puk) {
  return base::Sha256Hash(crypto::Sha256(puk.kems.at(protocol::kAlgX25519)));
}

// Members and further devices that came after statement `after` while `owner` was one.
std::vector<Notice> AdditionsAfter(const protocol::Roster& roster, const base::MemberId& owner,
                                   std::uint64_t after) {
  std::vector<Notice> additions;
  const auto add = [&](Notice::What what, std::uint64_t seq, const base::MemberId& member) {
    if (seq <= after || (roster.RolesAt(owner, seq) & protocol::kOwner) == 0) return;
    additions.push_back({what, seq, member});
  };
  for (const auto& [id, member] : roster.members()) {
    add(Notice::What::kMemberAdded, member.added_seq, id);
    for (const base::DeviceId& device : member.devices) {
      const std::uint64_t seq = roster.FindDevice(device)->added_seq;
      if (seq != member.added_seq) add(Notice::What::kDeviceAdded, seq, id);
    }
  }
  return additions;
}

// Takes away what this member signed for.
Status DropOwn(Realm& realm, std::vector<Notice>& additions) {
  const auto statements = realm.store().Roster();
  if (!statements) return statements.error();
  const protocol::Roster& roster = realm.roster();
  if (statements->size() < roster.size()) {
    return Error(Code::kStateLost, "the local store lacks a statement that it had");
  }
  // What a statement signs for: the one that it approves, or itself.
  std::vector<base::Link> targets;
  std::set<base::Link> own;
  for (std::uint64_t seq = 0; seq < roster.size(); ++seq) {
    const auto raw = protocol::ReadStatement((*statements)[seq]);
    if (!raw) return raw.error();
    const auto payload = protocol::ReadStatementPayload(raw->header.type, raw->payload);
    if (!payload) return payload.error();
    const auto* approve = std::get_if<protocol::Approve>(&*payload);
    targets.push_back(approve != nullptr ? approve->target : roster.LinkAt(seq));
    if (raw->header.author_member == realm.member()) own.insert(targets.back());
  }
  std::erase_if(additions, [&](const Notice& notice) { return own.contains(targets[notice.seq]); });
  return {};
}

// What this member is to be shown of what took effect after statement `after`.
base::Result<std::vector<Notice>> NoticesOf(Realm& realm, std::uint64_t after) {
  auto additions = AdditionsAfter(realm.roster(), realm.member(), after);
  if (!additions.empty()) {
    if (const auto status = DropOwn(realm, additions); !status) return status.error();
  }
  auto notices = NoticesAfter(realm.roster(), after);
  std::ranges::move(additions, std::back_inserter(notices));
  std::ranges::stable_sort(notices, {}, &Notice::seq);
  return notices;
}

}  // namespace

base::Result<std::vector<Surprise>> Surprises(Realm& realm) {
  std::vector<Surprise> surprises;
  const auto added = AddedSeq(realm);
  const auto* self = added ? realm.roster().FindMember(realm.member()) : nullptr;
  if (self == nullptr) return surprises;
  const auto record = ReadRecord(realm.store());
  if (!record) return record.error();
  const auto& roster = realm.roster();
  for (const base::DeviceId& id : self->devices) {
    const auto* device = roster.FindDevice(id);
    if (device->added_seq <= *added || record->devices.contains(id)) continue;
    surprises.push_back({Surprise::What::kDevice, base::ToBytes(id.bytes()), device->added_seq,
                         roster.IsActiveAt(id, roster.head_seq())});
  }
  std::optional<std::vector<base::Bytes>> statements;
  for (const auto& puk : self->puks) {
    const base::Sha256Hash hash = HashOf(puk);
    if (puk.seq <= *added || record->puks.contains(hash)) continue;
    if (!statements) {
      auto read = realm.store().Roster();
      if (!read) return read.error();
      statements = *std::move(read);
    }
    if (puk.seq >= statements->size()) {
      return Error(Code::kStateLost, "the local store lacks a statement that it had");
    }
    const auto raw = protocol::ReadStatement((*statements)[puk.seq]);
    if (!raw) return raw.error();
    if (raw->header.author_device != realm.device().id()) continue;
    surprises.push_back(
        {Surprise::What::kPuk, base::ToBytes(hash.bytes()), puk.seq, false, puk.gen});
  }
  std::ranges::sort(surprises, {}, &Surprise::seq);
  return surprises;
}

Status Confirm(Realm& realm, const Surprise& surprise) {
  return ChangeRecord(realm.store(), [&](Record& record) {
    const base::ByteSpan id = surprise.id;
    if (surprise.what == Surprise::What::kDevice) {
      record.devices.insert(base::DeviceId(id.first<base::DeviceId::kSize>()));
    } else {
      record.puks.insert(base::Sha256Hash(id.first<base::Sha256Hash::kSize>()));
    }
  });
}

Status NoteOwnDevice(Store& store, const base::DeviceId& device) {
  return ChangeRecord(store, [&](Record& record) { record.devices.insert(device); });
}

Status NoteOwnPuk(Store& store, base::ByteSpan kem_pk) {
  return ChangeRecord(
      store, [&](Record& record) { record.puks.insert(base::Sha256Hash(crypto::Sha256(kem_pk))); });
}

std::vector<Notice> NoticesAfter(const protocol::Roster& roster, std::uint64_t after) {
  std::vector<Notice> notices;
  if (roster.empty()) return notices;
  for (std::uint64_t seq = after + 1; seq < roster.size(); ++seq) {
    if (roster.PolicyAt(seq).gen != roster.PolicyAt(seq - 1).gen) {
      notices.push_back({Notice::What::kPolicySet, seq, {}});
    }
    if (roster.RootPkAt(seq) != roster.RootPkAt(seq - 1)) {
      notices.push_back({Notice::What::kRootRotated, seq, {}});
    }
  }
  for (const auto& recovery : roster.recoveries()) {
    if (recovery.seq > after) notices.push_back({Notice::What::kRecoverySet, recovery.seq, {}});
  }
  for (const auto& [id, member] : roster.members()) {
    bool owner = false;
    for (const auto& [seq, roles] : member.roles) {
      const bool owns = (roles & protocol::kOwner) != 0;
      if (owns != owner && seq > after) {
        const auto what = owns ? Notice::What::kOwnerAdded : Notice::What::kOwnerGone;
        notices.push_back({what, seq, id});
      }
      owner = owns;
    }
    if (owner && member.removed_seq != protocol::kNever && member.removed_seq > after) {
      notices.push_back({Notice::What::kOwnerGone, member.removed_seq, id});
    }
  }
  std::ranges::stable_sort(notices, {}, &Notice::seq);
  return notices;
}

base::Result<std::vector<Notice>> AllNotices(Realm& realm) {
  const auto added = AddedSeq(realm);
  if (!added) return std::vector<Notice>();
  return NoticesOf(realm, *added);
}

base::Result<std::vector<Notice>> TakeNotices(Realm& realm) {
  const auto added = AddedSeq(realm);
  if (!added) return std::vector<Notice>();
  const auto record = ReadRecord(realm.store());
  if (!record) return record.error();
  const std::uint64_t after = std::max(record->shown, *added);
  const std::uint64_t head = realm.roster().head_seq();
  if (head <= after) return std::vector<Notice>();
  auto notices = NoticesOf(realm, after);
  if (!notices) return notices.error();
  const auto kept = ChangeRecord(realm.store(), [&](Record& r) { r.shown = head; });
  if (!kept) return kept.error();
  return notices;
}

}  // namespace godwit::client
