#include "protocol/entry.h"

#include <algorithm>

#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

constexpr std::string_view kTag = "gw1/ve";
// Where the vault's id stands in a body: after the tag, ver, suite and realm.
constexpr std::size_t kVaultOffset = kTag.size() + 1 + 2 + base::RealmId::kSize;

base::Error NoEntry() { return {base::Code::kSig, "these bytes are no entry of a vault"}; }

void WriteHeader(Writer& w, const EntryHeader& h) {
  w.Raw(kTag).U8(h.ver).U16(h.suite).Fixed(h.realm).Fixed(h.vault).U64(h.seq).Fixed(h.prev);
  w.U8(h.type).Fixed(h.author_member).Fixed(h.author_device);
  w.U64(h.roster_seq).Fixed(h.roster_head).Fixed(h.epoch_link).Fixed(h.pin_link);
}

void Write(Writer& w, const Create& p) { w.Raw(p.nonce).U8(p.kind); }

void Write(Writer& w, const Epoch& p) {
  w.U32(p.epoch).Fixed(p.request);
  w.U16(static_cast<std::uint16_t>(p.list.size()));
  for (const auto& [member, row] : p.list) {
    w.Fixed(member).U8(row.perm).U32(row.puk_gen).Fixed(row.box_hash);
  }
  w.U16(static_cast<std::uint16_t>(p.guests.size()));
  for (const auto& [guest, row] : p.guests) {
    w.Fixed(guest).U8(row.perm).U32(row.expires_hour);
    WriteDeviceKeys(w, row.device);
    w.Fixed(row.box_hash);
  }
  w.Raw(p.commitment);
  w.U16(static_cast<std::uint16_t>(p.wraps.size()));
  for (const auto& [older, wrap] : p.wraps) w.U32(older).Raw(wrap);
  w.U32(p.rec_gen).Fixed(p.rec_box_hash);
}

void Write(Writer& w, const Rev& p) {
  w.Fixed(p.record).U64(p.rver).Fixed(p.rprev).U32(p.epoch).U8(p.flags).Fixed(p.salt_sha256);
  w.Raw(p.commitment).U32(p.ct_len).Fixed(p.ct_sha256);
  w.U16(static_cast<std::uint16_t>(p.attachments.size()));
  for (const auto& [id, attachment] : p.attachments) {
    w.Fixed(id).U64(attachment.size).Fixed(attachment.sha256);
  }
}

void Write(Writer& w, const Tomb& p) { w.Fixed(p.record).U64(p.rver).Fixed(p.rprev).U8(p.reason); }

void Write(Writer& w, const State& p) { w.U8(p.frozen).U8(p.hold).U32(p.erase_day); }

void Write(Writer& w, const Assent& p) { w.Fixed(p.target).U8(p.say); }

void Write(Writer& w, const Ask& p) {
  w.U8(p.what).U16(p.reason).U16(p.hours).U16(static_cast<std::uint16_t>(p.records.size()));
  for (const auto& record : p.records) w.Fixed(record);
}

Create ReadCreate(Reader& r) {
  Create p;
  p.nonce = r.Array<16>();
  p.kind = r.U8();
  return p;
}

Epoch ReadEpoch(Reader& r) {
  Epoch p;
  p.epoch = r.U32();
  p.request = r.Take<base::Link>();
  r.List([&](Reader& item) {
    const auto member = item.Take<base::MemberId>();
    item.KeyEnds();
    EpochRow& row = p.list[member];
    row.perm = item.U8();
    row.puk_gen = item.U32();
    row.box_hash = item.Take<base::Sha256Hash>();
  });
  r.List([&](Reader& item) {
    const auto guest = item.Take<base::GuestId>();
    item.KeyEnds();
    EpochGuest& row = p.guests[guest];
    row.perm = item.U8();
    row.expires_hour = item.U32();
    row.device = ReadDeviceKeys(item);
    row.box_hash = item.Take<base::Sha256Hash>();
  });
  p.commitment = r.Array<32>();
  r.List([&](Reader& item) {
    const std::uint32_t older = item.U32();
    item.KeyEnds();
    p.wraps[older] = item.Array<kWrapSize>();
  });
  p.rec_gen = r.U32();
  p.rec_box_hash = r.Take<base::Sha256Hash>();
  return p;
}

Rev ReadRev(Reader& r) {
  Rev p;
  p.record = r.Take<base::RecordId>();
  p.rver = r.U64();
  p.rprev = r.Take<base::Link>();
  p.epoch = r.U32();
  p.flags = r.U8();
  p.salt_sha256 = r.Take<base::Sha256Hash>();
  p.commitment = r.Array<32>();
  p.ct_len = r.U32();
  p.ct_sha256 = r.Take<base::Sha256Hash>();
  r.List([&](Reader& item) {
    const auto id = item.Take<base::AttachmentId>();
    item.KeyEnds();
    Rev::Attachment& attachment = p.attachments[id];
    attachment.size = item.U64();
    attachment.sha256 = item.Take<base::Sha256Hash>();
  });
  return p;
}

Tomb ReadTomb(Reader& r) {
  Tomb p;
  p.record = r.Take<base::RecordId>();
  p.rver = r.U64();
  p.rprev = r.Take<base::Link>();
  p.reason = r.U8();
  return p;
}

State ReadState(Reader& r) {
  State p;
  p.frozen = r.U8();
  p.hold = r.U8();
  p.erase_day = r.U32();
  return p;
}

Assent ReadAssent(Reader& r) {
  Assent p;
  p.target = r.Take<base::Link>();
  p.say = r.U8();
  return p;
}

Ask ReadAsk(Reader& r) {
  Ask p;
  p.what = r.U8();
  p.reason = r.U16();
  p.hours = r.U16();
  r.List([&](Reader& item) { p.records.insert(item.Take<base::RecordId>()); });
  return p;
}

}  // namespace

bool IsByGuest(const EntryHeader& header) {
  return std::ranges::equal(header.author_member.bytes(), header.author_device.bytes());
}

base::Result<RawEntry> ReadEntry(base::ByteSpan bytes) {
  RawEntry e;
  Reader outer(bytes);
  e.body = outer.Var32();
  e.signature = outer.Take<crypto::Signature>();
  if (!outer.Done()) return NoEntry();
  Reader r(e.body);
  const base::ByteSpan tag = r.Raw(kTag.size());
  if (!std::ranges::equal(tag, base::AsBytes(kTag))) return NoEntry();
  EntryHeader& h = e.header;
  h.ver = r.U8();
  if (!r.ok()) return NoEntry();
  if (h.ver != kVersion) {
    return base::Error(base::Code::kUnsupported,
                       "an entry of a later version of the protocol: update Godwit");
  }
  h.suite = r.U16();
  h.realm = r.Take<base::RealmId>();
  h.vault = r.Take<base::VaultId>();
  h.seq = r.U64();
  h.prev = r.Take<base::Link>();
  h.type = r.U8();
  h.author_member = r.Take<base::MemberId>();
  h.author_device = r.Take<base::DeviceId>();
  h.roster_seq = r.U64();
  h.roster_head = r.Take<base::Link>();
  h.epoch_link = r.Take<base::Link>();
  h.pin_link = r.Take<base::Link>();
  e.payload = r.Var32();
  if (!r.Done()) return NoEntry();
  return e;
}

base::Link EntryLink(base::ByteSpan entry) {
  return base::Link(crypto::LabeledHash(labels::kLink, {entry}));
}

base::Result<EntryPayload> ReadEntryPayload(std::uint8_t type, base::ByteSpan payload) {
  Reader r(payload);
  EntryPayload p;
  switch (type) {
    case static_cast<std::uint8_t>(EntryType::kCreate):
      p = ReadCreate(r);
      break;
    case static_cast<std::uint8_t>(EntryType::kEpoch):
      p = ReadEpoch(r);
      break;
    case static_cast<std::uint8_t>(EntryType::kRev):
      p = ReadRev(r);
      break;
    case static_cast<std::uint8_t>(EntryType::kTomb):
      p = ReadTomb(r);
      break;
    case static_cast<std::uint8_t>(EntryType::kState):
      p = ReadState(r);
      break;
    case static_cast<std::uint8_t>(EntryType::kAssent):
      p = ReadAssent(r);
      break;
    case static_cast<std::uint8_t>(EntryType::kAsk):
      p = ReadAsk(r);
      break;
    default:
      return base::Error(base::Code::kUnsupported,
                         "an entry of a type that this Godwit does not know: update it");
  }
  if (!r.Done()) return NoEntry();
  return p;
}

base::Bytes WriteEntryPayload(const EntryPayload& payload) {
  Writer w;
  std::visit([&](const auto& p) { Write(w, p); }, payload);
  return w.Take();
}

std::uint8_t TypeOf(const EntryPayload& payload) {
  // The variant lists them in the order of their types.
  static_assert(std::variant_size_v<EntryPayload> == kLastEntryType);
  return static_cast<std::uint8_t>(payload.index() + 1);
}

base::Bytes SignEntry(EntryHeader header, const EntryPayload& payload,
                      const crypto::SigningKey& key) {
  header.type = TypeOf(payload);
  Writer body;
  WriteHeader(body, header);
  body.Var32(WriteEntryPayload(payload));
  Writer w;
  w.Var32(body.bytes()).Fixed(key.Sign(labels::kVault, body.bytes()));
  return w.Take();
}

SignedCreate SignCreate(EntryHeader header, const Create& create, const crypto::SigningKey& key) {
  header.vault = {};
  header.seq = 0;
  header.prev = {};
  header.epoch_link = {};
  header.pin_link = {};
  header.type = static_cast<std::uint8_t>(EntryType::kCreate);
  Writer body;
  WriteHeader(body, header);
  body.Var32(WriteEntryPayload(create));
  header.vault = VaultIdOf(body.bytes());
  return {SignEntry(header, create, key), header.vault};
}

base::VaultId VaultIdOf(base::ByteSpan create_body) {
  base::Bytes body = base::ToBytes(create_body);
  if (body.size() >= kVaultOffset + base::VaultId::kSize) {
    std::fill_n(body.begin() + kVaultOffset, base::VaultId::kSize, std::uint8_t{0});
  }
  const auto hash = crypto::LabeledHash(labels::kVaultId, {body});
  return base::VaultId(std::span(hash).first<16>());
}

base::RecordId PinnedRecordOf(const base::VaultId& vault) {
  const auto hash = crypto::LabeledHash(labels::kSummary, {vault.bytes()});
  return base::RecordId(std::span(hash).first<16>());
}

}  // namespace godwit::protocol
