#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "client/store.h"
#include "protocol/roster.h"

namespace godwit::client {

// What a device checks of its own member at each sync (docs/protocol.md section 4), since nobody
// else can: that every device and PUK of this member is one that this person made. Known are, by a
// rule that needs no clock and no colleague:
//   - devices and PUKs that the roster listed when this device was added: whoever added it, by the
//     same five words on both screens, vouched for them;
//   - what this device itself added or made, noted in its store before it was sent;
//   - PUKs that another device of this member made, which are that device's matter;
//   - what the person confirmed here.
// Anything else is a surprise. It stays one until the person confirms it, revoked or not.
struct Surprise {
  enum class What { kDevice, kPuk };
  What what = What::kDevice;
  // What Confirm takes: the device's id, or the SHA-256 of the PUK's X25519 key.
  base::Bytes id;
  std::uint64_t seq = 0;  // of the statement by which it came
  // kDevice: whether it is active yet.
  bool active = false;
  // kPuk: made with this very device's signing key, of which somebody must have a copy.
  std::uint32_t gen = 0;
};

// The surprises at the roster's head, in the order of their seqs.
base::Result<std::vector<Surprise>> Surprises(Realm& realm);
// Takes a device or PUK for this person's own from now on.
base::Status Confirm(Realm& realm, const Surprise& surprise);

// Notes, before it is sent, what this device does itself.
base::Status NoteOwnDevice(Store& store, const base::DeviceId& device);
base::Status NoteOwnPuk(Store& store, base::ByteSpan kem_pk);

// What every member is shown once on each of their devices, whoever did it; of new members and
// devices, what every owner is shown who did not sign for them.
struct Notice {
  enum class What {
    kPolicySet,
    kRecoverySet,
    kOwnerAdded,
    kOwnerGone,
    kRootRotated,
    kMemberAdded,
    kDeviceAdded,  // a further one of a member who was there
  };
  What what = What::kPolicySet;
  std::uint64_t seq = 0;  // of the statement that brought it into effect
  base::MemberId member;  // whom it is about; zero for policies, recovery sets and root keys
};

// What took effect after statement `after` of the roster, in the order of their seqs, for whoever
// is no owner.
std::vector<Notice> NoticesAfter(const protocol::Roster& roster, std::uint64_t after);
// All of this member since this device was added.
base::Result<std::vector<Notice>> AllNotices(Realm& realm);
// Those that this device has not shown yet; from now on they count as shown.
base::Result<std::vector<Notice>> TakeNotices(Realm& realm);

}  // namespace godwit::client
