#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "protocol/ce.h"
#include "protocol/entry.h"
#include "protocol/statement.h"

namespace godwit::protocol::testing {

// Random values of every format, well-formed though rarely allowed, and bytes that are nearly one.

template <class Fixed>
Fixed Any() {
  return Fixed(*rc::gen::arbitrary<std::array<std::uint8_t, Fixed::kSize>>());
}
template <class Int>
Int AnyInt() {
  return *rc::gen::oneOf(rc::gen::arbitrary<Int>(), rc::gen::element<Int>(0, 1, Int(~Int{0})));
}
template <std::size_t N>
std::array<std::uint8_t, N> AnyArray() {
  return *rc::gen::arbitrary<std::array<std::uint8_t, N>>();
}
inline std::size_t AnyCount(std::size_t most = 4) {
  return *rc::gen::inRange<std::size_t>(0, most + 1);
}
inline base::Bytes AnyBytes() { return *rc::gen::arbitrary<base::Bytes>(); }
inline std::string AnyStr() {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "a", "Z", " ", "~", "\u00a0", "\u00e9", "\uac00", "\u9999", "\U0001f9ed", "\U0010ffff"));
  std::string text;
  for (const auto& piece : pieces) {
    if (text.size() + piece.size() <= 255) text += piece;
  }
  return text;
}

inline Kems AnyKems() {
  Kems kems;
  for (std::size_t i = AnyCount(3); i > 0; --i) kems[AnyInt<std::uint16_t>()] = AnyBytes();
  return kems;
}
inline DeviceKeys AnyDeviceKeys() { return {Any<crypto::SigningPublicKey>(), AnyKems()}; }

inline Policy AnyPolicy() {
  Policy p;
  p.gen = AnyInt<std::uint32_t>();
  p.max_ver = AnyInt<std::uint8_t>();
  p.min_suite = AnyInt<std::uint16_t>();
  p.flags = AnyInt<std::uint16_t>();
  p.owner_threshold = AnyInt<std::uint8_t>();
  p.grant_threshold = AnyInt<std::uint8_t>();
  p.fresh_s = AnyInt<std::uint32_t>();
  p.hold_s = AnyInt<std::uint32_t>();
  p.recovery_delay_s = AnyInt<std::uint32_t>();
  p.kdf_ops = AnyInt<std::uint32_t>();
  p.kdf_mem = AnyInt<std::uint64_t>();
  p.identity_window_s = AnyInt<std::uint32_t>();
  for (std::size_t i = AnyCount(); i > 0; --i) {
    p.budgets[AnyInt<std::uint8_t>()] = {AnyInt<std::uint32_t>(), AnyInt<std::uint32_t>()};
  }
  for (std::size_t i = AnyCount(); i > 0; --i) p.pins.insert(Any<base::Sha256Hash>());
  p.receipt_pk = AnyArray<32>();
  p.has_log = *rc::gen::arbitrary<bool>();
  if (p.has_log) {
    p.log_name = AnyStr();
    p.log_pk = AnyArray<32>();
  }
  p.quorum = AnyInt<std::uint8_t>();
  for (std::size_t i = AnyCount(); i > 0; --i) {
    p.witnesses[AnyStr()] = {AnyInt<std::uint8_t>(), AnyArray<32>()};
  }
  for (std::size_t i = AnyCount(); i > 0; --i) {
    // Few purposes, so that two generations of one are common.
    p.service_keys[{*rc::gen::inRange<std::uint8_t>(0, 3), AnyInt<std::uint32_t>()}] =
        AnyArray<32>();
  }
  p.audit_gen = AnyInt<std::uint32_t>();
  p.audit_kems = AnyKems();
  for (std::size_t i = AnyCount(); i > 0; --i) {
    p.vaults[AnyInt<std::uint8_t>()] = Any<base::VaultId>();
  }
  for (std::size_t i = AnyCount(2); i > 0; --i) {
    p.peers[AnyInt<std::uint16_t>()] = {AnyKems(), AnyArray<32>(), AnyArray<32>(), AnyStr(),
                                        AnyArray<32>()};
  }
  for (std::size_t i = AnyCount(); i > 0; --i) p.extensions[AnyInt<std::uint16_t>()] = AnyBytes();
  return p;
}

inline base::Bytes Encoded(const DeviceKeys& keys) {
  Writer w;
  WriteDeviceKeys(w, keys);
  return w.Take();
}

inline StatementPayload AnyStatementPayload() {
  switch (*rc::gen::inRange(0, 13)) {
    case 0: {
      Genesis p;
      p.compartment = AnyInt<std::uint8_t>();
      p.root_pk = Any<crypto::SigningPublicKey>();
      p.policy = AnyPolicy();
      for (std::size_t i = AnyCount(3); i > 0; --i) {
        GenesisMember& row = p.members[Any<base::MemberId>()];
        row.roles = AnyInt<Roles>();
        row.staff_commit = Any<base::Sha256Hash>();
        std::map<base::Bytes, DeviceKeys> devices;
        for (std::size_t d = AnyCount(3); d > 0; --d) {
          const auto keys = AnyDeviceKeys();
          devices[Encoded(keys)] = keys;
        }
        for (const auto& [key, keys] : devices) {
          row.devices.emplace_back(keys, Any<crypto::Signature>());
        }
      }
      return p;
    }
    case 1:
      return MemberAdd{Any<base::MemberId>(),   AnyInt<Roles>(),       Any<base::Sha256Hash>(),
                       AnyInt<std::uint8_t>(),  Any<base::InviteId>(), AnyDeviceKeys(),
                       Any<crypto::Signature>()};
    case 2:
      return DeviceRevoke{Any<base::MemberId>(), Any<base::DeviceId>(), AnyInt<std::uint8_t>()};
    case 3: {
      PukRotate p;
      p.member = Any<base::MemberId>();
      p.gen = AnyInt<std::uint32_t>();
      p.kems = AnyKems();
      p.prev_gen = AnyInt<std::uint32_t>();
      if (p.prev_gen != 0) p.prev_wrap = base::ToBytes(AnyArray<kPukWrapSize>());
      for (std::size_t i = AnyCount(); i > 0; --i) {
        p.box_hashes[Any<base::DeviceId>()] = Any<base::Sha256Hash>();
      }
      return p;
    }
    case 4:
      return MemberRemove{Any<base::MemberId>(), AnyInt<std::uint8_t>()};
    case 5:
      return DeviceAdd{Any<base::MemberId>(), AnyDeviceKeys(), AnyInt<std::uint32_t>(),
                       Any<base::Sha256Hash>(), Any<crypto::Signature>()};
    case 6:
      return RoleSet{Any<base::MemberId>(), AnyInt<Roles>()};
    case 7: {
      RecoverySet p;
      p.use = AnyInt<std::uint8_t>();
      p.scheme = AnyInt<std::uint8_t>();
      p.gen = AnyInt<std::uint32_t>();
      p.kems = AnyKems();
      p.k = AnyInt<std::uint8_t>();
      if (AnyCount(1) != 0) p.rec_prev = base::ToBytes(AnyArray<kRecoveryWrapSize>());
      for (std::size_t i = AnyCount(); i > 0; --i) {
        p.shares[AnyInt<std::uint8_t>()] = {Any<base::MemberId>(), Any<base::Sha256Hash>(),
                                            Any<base::Sha256Hash>(), Any<base::DeviceId>(),
                                            Any<crypto::Signature>()};
      }
      return p;
    }
    case 8: {
      RecoveryRequest p;
      p.use = AnyInt<std::uint8_t>();
      p.rec_gen = AnyInt<std::uint32_t>();
      p.recipient_member = Any<base::MemberId>();
      p.recipient_device = Any<base::DeviceId>();
      p.eph_kem_pk = base::ToBytes(AnyArray<32>());
      p.reason_hash = Any<base::Sha256Hash>();
      for (std::size_t i = AnyCount(); i > 0; --i) p.vaults.insert(Any<base::VaultId>());
      p.sig = Any<crypto::Signature>();
      return p;
    }
    case 9:
      return Approve{Any<base::Link>(), AnyInt<std::uint8_t>(), Any<base::Sha256Hash>()};
    case 10:
      return Close{Any<base::Link>(), AnyInt<std::uint8_t>()};
    case 11:
      return RootRotate{Any<crypto::SigningPublicKey>(), Any<crypto::Signature>()};
    default:
      return PolicySet{AnyPolicy()};
  }
}

inline EntryPayload AnyEntryPayload() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return Create{AnyArray<16>(), AnyInt<std::uint8_t>()};
    case 1: {
      Epoch p;
      p.epoch = AnyInt<std::uint32_t>();
      p.request = Any<base::Link>();
      for (std::size_t i = AnyCount(); i > 0; --i) {
        p.list[Any<base::MemberId>()] = {AnyInt<Perm>(), AnyInt<std::uint32_t>(),
                                         Any<base::Sha256Hash>()};
      }
      for (std::size_t i = AnyCount(2); i > 0; --i) {
        p.guests[Any<base::GuestId>()] = {AnyInt<Perm>(), AnyInt<std::uint32_t>(), AnyDeviceKeys(),
                                          Any<base::Sha256Hash>()};
      }
      p.commitment = AnyArray<32>();
      for (std::size_t i = AnyCount(); i > 0; --i) {
        p.wraps[AnyInt<std::uint32_t>()] = AnyArray<kWrapSize>();
      }
      p.rec_gen = AnyInt<std::uint32_t>();
      p.rec_box_hash = Any<base::Sha256Hash>();
      return p;
    }
    case 2: {
      Rev p;
      p.record = Any<base::RecordId>();
      p.rver = AnyInt<std::uint64_t>();
      p.rprev = Any<base::Link>();
      p.epoch = AnyInt<std::uint32_t>();
      p.flags = AnyInt<std::uint8_t>();
      p.salt_sha256 = Any<base::Sha256Hash>();
      p.commitment = AnyArray<32>();
      p.ct_len = AnyInt<std::uint32_t>();
      p.ct_sha256 = Any<base::Sha256Hash>();
      for (std::size_t i = AnyCount(); i > 0; --i) {
        p.attachments[Any<base::AttachmentId>()] = {AnyInt<std::uint64_t>(),
                                                    Any<base::Sha256Hash>()};
      }
      return p;
    }
    case 3:
      return Tomb{Any<base::RecordId>(), AnyInt<std::uint64_t>(), Any<base::Link>(),
                  AnyInt<std::uint8_t>()};
    case 4:
      return State{AnyInt<std::uint8_t>(), AnyInt<std::uint8_t>(), AnyInt<std::uint32_t>()};
    case 5:
      return Assent{Any<base::Link>(), AnyInt<std::uint8_t>()};
    default: {
      Ask p{AnyInt<std::uint8_t>(), AnyInt<std::uint16_t>(), AnyInt<std::uint16_t>(), {}};
      for (std::size_t i = AnyCount(); i > 0; --i) p.records.insert(Any<base::RecordId>());
      return p;
    }
  }
}

// `bytes` with one to three small changes: what a parser is most likely to take by mistake.
inline base::Bytes Changed(base::Bytes bytes) {
  for (std::size_t i = 1 + AnyCount(2); i > 0; --i) {
    const std::size_t at = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const bool inside = place != bytes.end();
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        if (inside) *place = AnyInt<std::uint8_t>();
        break;
      case 1:
        bytes.insert(place, AnyInt<std::uint8_t>());
        break;
      case 2:
        if (inside) bytes.erase(place);
        break;
      default:
        if (inside) *place ^= static_cast<std::uint8_t>(1u << AnyCount(7));
        break;
    }
  }
  return bytes;
}

}  // namespace godwit::protocol::testing
