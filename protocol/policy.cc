#include "protocol/policy.h"

#include <algorithm>

#include "protocol/practice.h"

namespace godwit::protocol {
namespace {

base::Error Invalid(base::Literal why) { return {base::Code::kRosterInvalid, why}; }

constexpr std::uint8_t kPurposeDuplicates = 1;
constexpr std::uint16_t kPeerOtherDesk = 1;

bool IsZero(const PublicKeyBytes& key) {
  return std::ranges::all_of(key, [](std::uint8_t b) { return b == 0; });
}

// The kinds of which a realm names one vault.
bool IsNamedKind(Kind kind) {
  switch (kind) {
    case Kind::kDirectory:
    case Kind::kConfig:
    case Kind::kAudit:
    case Kind::kStaff:
    case Kind::kDesk:
    case Kind::kIndex:
    case Kind::kLedger:
      return true;
    default:
      return false;
  }
}

}  // namespace

base::VaultId Policy::VaultOf(Kind kind) const {
  const auto vault = vaults.find(static_cast<std::uint8_t>(kind));
  return vault == vaults.end() ? base::VaultId() : vault->second;
}

void WritePolicy(Writer& w, const Policy& p) {
  const auto count = [&](const auto& list) { w.U16(static_cast<std::uint16_t>(list.size())); };
  w.U32(p.gen).U8(p.max_ver).U16(p.min_suite).U16(p.flags);
  w.U8(p.owner_threshold).U8(p.grant_threshold);
  w.U32(p.fresh_s).U32(p.hold_s).U32(p.recovery_delay_s);
  w.U32(p.kdf_ops).U64(p.kdf_mem).U32(p.identity_window_s);
  count(p.budgets);
  for (const auto& [kind, budget] : p.budgets) {
    w.U8(kind).U32(budget.soft_day).U32(budget.hard_day);
  }
  count(p.pins);
  for (const auto& pin : p.pins) w.Fixed(pin);
  w.Raw(p.receipt_pk).U8(p.has_log ? 1 : 0);
  if (p.has_log) w.Str(p.log_name).Raw(p.log_pk);
  w.U8(p.quorum);
  // The keys of this list are str, whose order is that of their encodings: length first.
  std::vector<std::pair<base::Bytes, const Policy::Witness*>> witnesses;
  for (const auto& [name, witness] : p.witnesses) {
    Writer key;
    key.Str(name);
    witnesses.emplace_back(key.Take(), &witness);
  }
  std::ranges::sort(witnesses);
  count(witnesses);
  for (const auto& [name, witness] : witnesses) {
    w.Raw(name).U8(witness->independent).Raw(witness->key);
  }
  count(p.service_keys);
  for (const auto& [name, key] : p.service_keys) w.U8(name.purpose).U32(name.gen).Raw(key);
  w.U32(p.audit_gen);
  WriteKems(w, p.audit_kems);
  count(p.vaults);
  for (const auto& [kind, vault] : p.vaults) w.U8(kind).Fixed(vault);
  count(p.peers);
  for (const auto& [peer, keys] : p.peers) {
    w.U16(peer);
    WriteKems(w, keys.kems);
    w.Raw(keys.sign_pk).Raw(keys.auth_pk).Str(keys.relay).Raw(keys.pin);
  }
  count(p.extensions);
  for (const auto& [key, value] : p.extensions) w.U16(key).Var16(value);
}

Policy ReadPolicy(Reader& reader) {
  Policy p;
  p.gen = reader.U32();
  p.max_ver = reader.U8();
  p.min_suite = reader.U16();
  p.flags = reader.U16();
  p.owner_threshold = reader.U8();
  p.grant_threshold = reader.U8();
  p.fresh_s = reader.U32();
  p.hold_s = reader.U32();
  p.recovery_delay_s = reader.U32();
  p.kdf_ops = reader.U32();
  p.kdf_mem = reader.U64();
  p.identity_window_s = reader.U32();
  reader.List([&](Reader& r) {
    const std::uint8_t kind = r.U8();
    r.KeyEnds();
    const std::uint32_t soft = r.U32();
    p.budgets[kind] = {soft, r.U32()};
  });
  reader.List([&](Reader& r) { p.pins.insert(r.Take<base::Sha256Hash>()); });
  p.receipt_pk = reader.Array<32>();
  p.has_log = reader.Presence();
  if (p.has_log) {
    p.log_name = reader.Str();
    p.log_pk = reader.Array<32>();
  }
  p.quorum = reader.U8();
  reader.List([&](Reader& r) {
    const std::string name = r.Str();
    r.KeyEnds();
    const std::uint8_t independent = r.U8();
    p.witnesses[name] = {independent, r.Array<32>()};
  });
  reader.List([&](Reader& r) {
    const std::uint8_t purpose = r.U8();
    const std::uint32_t gen = r.U32();
    r.KeyEnds();
    p.service_keys[{purpose, gen}] = r.Array<32>();
  });
  p.audit_gen = reader.U32();
  p.audit_kems = ReadKems(reader);
  reader.List([&](Reader& r) {
    const std::uint8_t kind = r.U8();
    r.KeyEnds();
    p.vaults[kind] = r.Take<base::VaultId>();
  });
  reader.List([&](Reader& r) {
    const std::uint16_t peer = r.U16();
    r.KeyEnds();
    Policy::Peer& keys = p.peers[peer];
    keys.kems = ReadKems(r);
    keys.sign_pk = r.Array<32>();
    keys.auth_pk = r.Array<32>();
    keys.relay = r.Str();
    keys.pin = r.Array<32>();
  });
  reader.List([&](Reader& r) {
    const std::uint16_t key = r.U16();
    r.KeyEnds();
    p.extensions[key] = base::ToBytes(r.Var16());
  });
  return p;
}

base::Status CheckPolicy(const Policy& p) {
  const base::Error unsupported(base::Code::kUnsupported,
                                "the policy has a part that this Godwit does not know: update it");
  for (const auto& [key, value] : p.extensions) {
    if (key % 2 == 1) return unsupported;
  }
  if (IsPractice(p) && (!p.evaluation() || !p.extensions.at(kPracticeExtension).empty())) {
    return Invalid("a practice organisation that is no evaluation one, or whose mark says more");
  }
  for (const auto& [kind, budget] : p.budgets) {
    if (!IsKnownKind(kind)) return unsupported;
  }
  for (const auto& [kind, vault] : p.vaults) {
    if (!IsKnownKind(kind)) return unsupported;
    if (!IsNamedKind(Kind{kind})) return Invalid("the policy names a vault of a kind without one");
  }
  if (p.max_ver < 1) return Invalid("max_ver is 0");
  if (p.min_suite < 1) return Invalid("min_suite is 0");
  if ((p.flags & ~Policy::kKnownFlags) != 0) return Invalid("unknown policy flag");
  if (p.owner_threshold < 1 || p.grant_threshold < 1) return Invalid("a threshold is 0");
  if (!p.evaluation()) {
    if (p.owner_threshold < 2 || p.grant_threshold < 2) {
      return Invalid("a threshold of 1 outside an evaluation organisation");
    }
    if (p.identity_window_s == 0) {
      return Invalid("no identity window outside an evaluation organisation");
    }
  }
  if (p.has_log == IsZero(p.receipt_pk)) return Invalid("a receipt key without a log, or none");
  if (!p.has_log && p.quorum != 0) return Invalid("a quorum without a log");
  std::size_t independent = 0;
  for (const auto& [name, witness] : p.witnesses) {
    if (witness.independent > 1) return Invalid("a witness is neither independent nor not");
    independent += witness.independent;
  }
  if (p.quorum > independent) return Invalid("a quorum above the number of independent witnesses");
  for (const auto& [name, key] : p.service_keys) {
    if (name.purpose != kPurposeDuplicates) return Invalid("unknown purpose of a key service key");
  }
  if (p.audit_gen == 0 ? !p.audit_kems.empty() : !AreValidKems(p.audit_kems)) {
    return Invalid("audit keys that are none, or without a generation");
  }
  for (const auto& [peer, keys] : p.peers) {
    if (peer != kPeerOtherDesk) return Invalid("unknown peer");
    if (!AreValidKems(keys.kems)) return Invalid("a peer's key is none");
  }
  return {};
}

base::Status CheckPolicySuccession(const Policy& before, const Policy& after) {
  if (after.gen != before.gen + 1) return Invalid("the policy's gen is not the next");
  if (after.max_ver < before.max_ver) return Invalid("max_ver falls");
  if (after.min_suite < before.min_suite) return Invalid("min_suite falls");
  if (after.kdf_ops < before.kdf_ops || after.kdf_mem < before.kdf_mem) {
    return Invalid("a KDF floor falls");
  }
  if ((before.flags & Policy::kKeyService) != 0 && (after.flags & Policy::kKeyService) == 0) {
    return Invalid("the key service stops being needed");
  }
  if (before.evaluation() != after.evaluation()) {
    return Invalid("an organisation becomes an evaluation one, or stops being one");
  }
  if (IsPractice(before) != IsPractice(after)) {
    return Invalid("an organisation becomes one to practise in, or stops being one");
  }
  if (before.quorum > 0 && after.quorum == 0) return Invalid("the quorum returns to 0");
  if (before.has_log && !after.has_log) return Invalid("the log vanishes");
  if (after.audit_gen < before.audit_gen) return Invalid("audit_gen falls");
  if (after.audit_gen == before.audit_gen && after.audit_kems != before.audit_kems) {
    return Invalid("other audit keys in the same generation");
  }
  return {};
}

}  // namespace godwit::protocol
