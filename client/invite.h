#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "client/staff.h"
#include "protocol/join.h"
#include "protocol/keystore.h"

namespace godwit::client {

// Somebody to be invited.
struct Newcomer {
  std::string handle;
  std::string display_name;
  protocol::Roles roles = 0;  // all roles that the person shall hold, over all realms
};

// The part of `roles` that a realm of `compartment` has: caseworker, supervisor and intake count in
// identity and cases, coordinator in cases, route in journeys; owner, admin and auditor in each.
protocol::Roles RolesIn(protocol::Compartment compartment, protocol::Roles roles);

// One open invitation to one realm, as the inviter keeps it (sealed in the store) until it ends.
struct OpenInvite {
  std::uint8_t kind = protocol::kOfferMember;
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  Newcomer newcomer;      // of kOfferMember
  base::HumanId human;    // of kOfferMember
  Membership membership;  // of kOfferDevice: this member, who gets another device
  protocol::JoinSecret s;
  base::InviteId invite;
  base::Bytes offer;
  protocol::Nonce32 nonce_a{};
  // Once J1 came: it is the same from then on.
  base::Bytes j1;
  std::optional<protocol::JoinRequest> request;
};

// Invites people into the realms that their roles need (docs/protocol.md section 11): for an owner
// or admin of each of these realms, who is owner or admin in cases too. And devices of one's own:
// for everybody.
class Inviter {
 public:
  explicit Inviter(Organisation& organisation) : organisation_(organisation) {}

  // Checks the grant before anything is made: roles that exist, and the incompatible pairs against
  // the staff vault (synced first). Then makes one invitation a realm and puts its OFFER.
  // A handle is one person's for good: one whom the staff vault knows is invited into the realms
  // that their roles need and where they are no member, or no more, under a new member id; the name
  // may be left out then.
  // PERMISSION_DENIED: an incompatible pair, or no right to grant. EXISTS: the handle is of
  // somebody who is a member everywhere already, or whose MEMBER_ADD waits. INVALID_ARGUMENT: roles
  // that differ from those that the person has in a realm, or a membership without a device that
  // must be ended first; a form.
  base::Result<std::vector<OpenInvite>> Invite(const Newcomer& newcomer);

  // Makes one invitation for another device of this member in each realm that is open here. EXISTS:
  // one waits to be approved. PERMISSION_DENIED: a surprise of the self-audit is open: whoever adds
  // a device vouches for those that are there.
  base::Result<std::vector<OpenInvite>> InviteDevice();

  // What the newcomer is handed for one realm.
  base::Result<crypto::SecretBytes> InvitationFor(const OpenInvite& invite) const;

  // Looks whether the newcomer has answered, and answers: J2 after J1. Returns the SAS once J3 is
  // there, nothing before. E_DECRYPT: a message that does not belong to the invitation, or breaks
  // its commitment; E_FORK: another J1 than before: withdraw it.
  base::Result<std::optional<std::string>> Poll(OpenInvite& invite);

  // Whether Confirm may sign another statement in the invite's realm: of one member at most three
  // wait for others at once, and sixteen in all. Brings the roster up to date. A device is not
  // counted.
  base::Result<bool> HasRoom(const OpenInvite& invite);

  // After both sides saw the same SAS: writes the human's staff record, then MEMBER_ADD; or
  // DEVICE_ADD. Returns how many more members must sign it before it is in effect: see
  // Realm::Author.
  base::Result<std::uint64_t> Confirm(OpenInvite& invite);

  // Lists newcomers who have published a PUK, and their names, in one EPOCH a vault of each realm:
  // true once all of `invites` are listed.
  base::Result<bool> ListNewcomers(const std::vector<OpenInvite>& invites);

  // Takes the OFFER back.
  base::Status Withdraw(const OpenInvite& invite);

 private:
  // Makes an invitation at the roster's head and puts its OFFER.
  base::Result<OpenInvite> Open(Realm& realm, std::uint8_t kind, const Newcomer& newcomer,
                                const base::HumanId& human, const Membership& membership);

  Organisation& organisation_;
};

// Joins a realm: the side of the newcomer, or of the new device.
class Joiner {
 public:
  // Reads what was handed over, connects, opens the OFFER, pins F and verifies the roster up to at
  // least the offered head, makes this device's keys and sends J1. `kind` is what the person here
  // asked for. NOT_FOUND: the invitation is no longer open. INVALID_ARGUMENT: it is of the other
  // kind. EXISTS: somebody has used it. E_DECRYPT: it is not what was offered. E_ROLLBACK: the
  // roster is older than offered. E_ROSTER_INVALID, E_FORK: it is another than offered.
  static base::Result<Joiner> Begin(base::ByteSpan invitation,
                                    std::uint8_t kind = protocol::kOfferMember);
  Joiner(Joiner&&) noexcept;
  Joiner& operator=(Joiner&&) noexcept;
  ~Joiner();

  const protocol::Offer& offer() const { return offer_; }
  protocol::Compartment compartment() const;
  // The realm's fingerprint, to be compared with a colleague's.
  std::string fingerprint_words() const;

  // The realm's policy, as of the roster seen so far.
  const protocol::Policy& policy() const;

  // Looks for J2 and answers it with J3. Returns the SAS then, nothing before. E_FORK: the service
  // shows other messages than before.
  base::Result<std::optional<std::string>> Poll();

  // After both sides saw the same SAS: waits for nothing, says whether the MEMBER_ADD or DEVICE_ADD
  // is in effect.
  base::Result<bool> IsAdded();

  // Once added: the keys to keep. The caller makes store and keystore, opens the Realm and syncs
  // it, which publishes the first PUK of a member, and fetches those of a device.
  base::Result<UnlockedRealm> TakeKeys(std::string handle) &&;

 private:
  struct State;
  explicit Joiner(std::unique_ptr<State> state);

  protocol::Offer offer_;
  std::unique_ptr<State> state_;
};

// A statement that this command made, or made before, and that is not in effect yet.
struct Waiting {
  protocol::Compartment compartment;
  std::uint64_t missing = 0;  // signatures
};

// Ends `member` in one realm. Returns how many signatures it still waits for: after one by this
// device, unless it waits already or is over.
base::Result<std::uint64_t> RemoveFrom(Realm& realm, const base::MemberId& member,
                                       std::uint8_t reason);

// Ends a member: MEMBER_REMOVE in every realm where the human is one, the staff record marked, and
// new EPOCHs of directory, config and staff without them. `reason` as in MEMBER_REMOVE. Returns the
// realms where it waits for others to sign; there the rest is done by another call, once they have.
base::Result<std::vector<Waiting>> RemoveMember(Organisation& organisation,
                                                const std::string& handle, std::uint8_t reason);

}  // namespace godwit::client
