#include "client/invite.h"

#include <algorithm>
#include <array>

#include "client/directory.h"
#include "client/grants.h"
#include "client/self_audit.h"
#include "client/vault_view.h"
#include "crypto/random.h"
#include "protocol/ce.h"
#include "protocol/labels.h"
#include "protocol/words.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;

constexpr std::array kCompartments{Compartment::kIdentity, Compartment::kCases,
                                   Compartment::kJourneys};
constexpr protocol::Roles kGoverning = protocol::kOwner | protocol::kAdmin | protocol::kAuditor;

base::Status Ready(Realm& realm) {
  if (const auto synced = realm.Sync(); !synced) return synced;
  for (const auto& [kind, vault] : realm.roster().policy().vaults) {
    if (const auto fetched = VaultView::Fetch(realm, vault);
        !fetched && fetched.error().code() != Code::kNotFound) {
      return fetched.error();
    }
  }
  return {};
}

// The membership of a realm that somebody has now or is about to have; or nullptr.
const Membership* LiveIn(const std::vector<Membership>& held, Compartment compartment) {
  const auto found = std::ranges::find_if(
      held, [&](const Membership& m) { return m.compartment == compartment && !m.ended; });
  return found == held.end() ? nullptr : &*found;
}

// What a new device signs to prove that it has its keys: in the statement that the offer leads to.
base::Bytes JoinPopMessage(const base::RealmId& realm, const protocol::Offer& offer,
                           const base::InviteId& invite, const protocol::DeviceKeys& device) {
  if (offer.kind == protocol::kOfferDevice) {
    protocol::DeviceAdd add;
    add.member = offer.member;
    add.device = device;
    return protocol::PopMessage(realm, add);
  }
  protocol::MemberAdd add;
  add.member = offer.member;
  add.roles = offer.roles;
  add.staff_commit = offer.staff_commit;
  add.join = offer.join;
  add.invite = invite;
  add.device = device;
  return protocol::PopMessage(realm, add);
}

// Whether somebody whom the staff vault knows has `roles` in a realm already, by the membership
// that they have there: else no invitation would do.
Status CheckHasRoles(Organisation& organisation, const Membership& live, protocol::Roles roles) {
  const auto realm = organisation.Get(live.compartment);
  if (!realm) return realm.error();
  const auto& roster = (*realm)->roster();
  if (FindWaiting<protocol::MemberAdd>(roster, live.member) != nullptr) {
    return Error(Code::kExists,
                 "this person's joining waits for signatures: see `godwit approve`, or end it "
                 "there");
  }
  if (!roster.HasActiveDeviceAt(live.member, roster.head_seq())) {
    return Error(Code::kInvalidArgument,
                 "this person has no device left: end the membership first, with `godwit member "
                 "remove HANDLE --reason lost`, and invite again");
  }
  if (live.roles != roles) {
    return Error(Code::kInvalidArgument,
                 "this handle is somebody's who has other roles: choose another handle, or name "
                 "all roles as they shall be with `godwit member role`");
  }
  return {};
}

}  // namespace

protocol::Roles RolesIn(Compartment compartment, protocol::Roles roles) {
  switch (compartment) {
    case Compartment::kIdentity:
      return roles &
             (kGoverning | protocol::kCaseworker | protocol::kSupervisor | protocol::kIntake);
    case Compartment::kCases:
      return roles & (kGoverning | protocol::kCaseworker | protocol::kSupervisor |
                      protocol::kIntake | protocol::kCoordinator);
    case Compartment::kJourneys:
      return roles & (kGoverning | protocol::kRoute);
  }
  return 0;
}

base::Result<std::vector<OpenInvite>> Inviter::Invite(const Newcomer& asked) {
  if (asked.handle.empty() || !protocol::IsStr(asked.handle) ||
      !protocol::IsStr(asked.display_name)) {
    return Error(Code::kInvalidArgument,
                 "a handle and a name are up to 255 bytes without control characters");
  }
  protocol::Roles covered = 0;
  for (const auto compartment : kCompartments) covered |= RolesIn(compartment, asked.roles);
  if (asked.roles == 0 || covered != asked.roles) {
    return Error(Code::kInvalidArgument, "name at least one role, and roles that exist");
  }
  auto cases = organisation_.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto staff = FetchStaff(**cases);
  if (!staff) return staff.error();

  Newcomer newcomer = asked;
  Human human;
  const Human* known = HumanByHandle(*staff, newcomer.handle);
  if (known != nullptr) {
    human = *known;
    if (const auto ended = EndUnmade(organisation_, human); !ended) return ended.error();
    for (const auto& [compartment, realm] : organisation_.realms()) {
      if (!newcomer.display_name.empty()) break;
      const auto directory = Directory::Read(*realm);
      if (!directory) return directory.error();
      const Colleague* colleague = directory->ByHandle(newcomer.handle);
      if (colleague != nullptr) newcomer.display_name = colleague->display_name;
    }
  } else {
    human.id = crypto::RandomId<base::HumanId>();
  }
  if (newcomer.display_name.empty()) {
    return Error(Code::kInvalidArgument, "name the newcomer, as colleagues shall read it");
  }
  auto held = HeldBy(organisation_, human);
  if (!held) return held.error();
  std::vector<Membership> fresh;
  for (const auto compartment : kCompartments) {
    Membership membership;
    membership.compartment = compartment;
    membership.roles = RolesIn(compartment, newcomer.roles);
    if (const Membership* live = LiveIn(*held, compartment); live != nullptr) {
      const auto has = CheckHasRoles(organisation_, *live, membership.roles);
      if (!has) return has.error();
      continue;
    }
    if (membership.roles == 0) continue;
    membership.member = crypto::RandomId<base::MemberId>();
    crypto::FillRandom(membership.r);
    held->push_back(membership);
    fresh.push_back(membership);
  }
  if (fresh.empty()) {
    return Error(Code::kExists,
                 "this handle is taken: choose another; `godwit member role` changes what somebody "
                 "may do");
  }
  if (const auto status = CheckHeld(organisation_, *held); !status) return status.error();

  std::vector<OpenInvite> invites;
  for (const Membership& membership : fresh) {
    auto realm = organisation_.Get(membership.compartment);
    if (!realm) return realm.error();
    if (const auto ready = Ready(**realm); !ready) return ready.error();
    auto invite = Open(**realm, protocol::kOfferMember, newcomer, human.id, membership);
    if (!invite) return invite.error();
    invites.push_back(*std::move(invite));
  }
  return invites;
}

base::Result<std::vector<OpenInvite>> Inviter::InviteDevice() {
  for (const auto& [compartment, realm] : organisation_.realms()) {
    if (const auto synced = realm->Sync(); !synced) return synced.error();
    if (FindWaiting<protocol::DeviceAdd>(realm->roster(), realm->member()) != nullptr) {
      return Error(Code::kExists,
                   "another device of yours waits to be approved: have it approved, or end it with "
                   "`godwit approve --close`, first");
    }
    const auto surprises = Surprises(*realm);
    if (!surprises) return surprises.error();
    if (!surprises->empty()) {
      return Error(Code::kPermissionDenied,
                   "a device or key of yours is unknown here, and whoever adds a device vouches "
                   "for the others: confirm or revoke it first, as the alarm says");
    }
  }
  std::vector<OpenInvite> invites;
  for (const auto& [compartment, realm] : organisation_.realms()) {
    Membership own;
    own.compartment = compartment;
    own.member = realm->member();
    own.roles = realm->roles();
    auto invite = Open(*realm, protocol::kOfferDevice, {}, {}, own);
    if (!invite) return invite.error();
    invites.push_back(*std::move(invite));
  }
  return invites;
}

base::Result<OpenInvite> Inviter::Open(Realm& realm, std::uint8_t kind, const Newcomer& newcomer,
                                       const base::HumanId& human, const Membership& membership) {
  const auto& roster = realm.roster();
  auto s = protocol::JoinSecret::Random();
  if (!s) return s.error();
  protocol::Offer offer;
  offer.kind = kind;
  offer.fingerprint = roster.fingerprint();
  offer.seq = roster.head_seq();
  offer.link = roster.head();
  offer.hosts = realm.info().hosts;
  offer.member = membership.member;
  offer.roles = membership.roles;
  offer.staff_commit = kind == protocol::kOfferDevice
                           ? roster.FindMember(membership.member)->staff_commit
                           : StaffCommit(membership.compartment, human, membership.r);
  offer.offerer = realm.device().id();
  auto sealed = protocol::SealOffer(*s, offer);
  if (!sealed) return sealed.error();
  const base::InviteId id = protocol::InviteIdOf(*s);
  if (const auto put = realm.server().PutOffer(id, *sealed); !put) return put.error();
  OpenInvite invite{kind, membership.compartment, newcomer, human, membership, *std::move(s),
                    id,   *std::move(sealed),     {},       {},    {}};
  crypto::FillRandom(invite.nonce_a);
  return invite;
}

base::Result<crypto::SecretBytes> Inviter::InvitationFor(const OpenInvite& invite) const {
  const auto realm = organisation_.Get(invite.compartment);
  if (!realm) return realm.error();
  auto s = protocol::JoinSecret::Copy(invite.s.Expose());
  if (!s) return s.error();
  return protocol::WriteInvitation({(*realm)->info().hosts, *std::move(s)});
}

base::Result<std::optional<std::string>> Inviter::Poll(OpenInvite& invite) {
  const auto realm = organisation_.Get(invite.compartment);
  if (!realm) return realm.error();
  auto& server = (*realm)->server();
  const auto messages = server.GetJoinMessages(invite.invite);
  if (!messages) return messages.error();
  if (messages->j1.empty()) return std::optional<std::string>();
  if (!invite.request) {
    auto request = protocol::ReadJ1(invite.s, messages->j1);
    if (!request) return request.error();
    invite.request = *std::move(request);
    invite.j1 = messages->j1;
  }
  // Whoever knows nonce_a could look for keys that show the same words.
  if (messages->j1 != invite.j1) {
    return Error(Code::kFork,
                 "the service changed the newcomer's message after it was answered: somebody may "
                 "be in between");
  }
  if (messages->j2.empty()) {
    const auto put = server.PutJoinMessage(invite.invite, transport::JoinStep::kJ2,
                                           protocol::WriteJ2(invite.s, invite.nonce_a));
    if (!put) return put.error();
  }
  if (messages->j3.empty()) return std::optional<std::string>();
  const auto nonce_d = protocol::ReadJ3(invite.s, messages->j3, *invite.request);
  if (!nonce_d) return nonce_d.error();
  return std::optional(protocol::Sas(invite.offer, invite.j1, invite.nonce_a, *nonce_d));
}

base::Result<bool> Inviter::HasRoom(const OpenInvite& invite) {
  if (invite.kind == protocol::kOfferDevice) return true;
  const auto realm = organisation_.Get(invite.compartment);
  if (!realm) return realm.error();
  if (const auto synced = (*realm)->Sync(); !synced) return synced.error();
  std::size_t all = 0;
  std::size_t mine = 0;
  for (const auto& each : (*realm)->roster().pending()) {
    if (std::holds_alternative<protocol::DeviceAdd>(each.payload)) continue;
    ++all;
    mine += each.author.member == (*realm)->member() ? 1 : 0;
  }
  return all < protocol::kMaxPending && mine < protocol::kMaxPendingOfAuthor;
}

base::Result<std::uint64_t> Inviter::Confirm(OpenInvite& invite) {
  if (!invite.request) {
    return Error(Code::kInvalidArgument, "the newcomer has not answered yet");
  }
  if (invite.kind == protocol::kOfferDevice) {
    const auto realm = organisation_.Get(invite.compartment);
    if (!realm) return realm.error();
    return (*realm)->AddDevice(invite.request->device, invite.request->pop);
  }
  auto cases = organisation_.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto staff = FetchStaff(**cases);
  if (!staff) return staff.error();
  // The human's record first: what the statement commits to must be there to be opened.
  Human human;
  const auto known = std::ranges::find(*staff, invite.human, &Human::id);
  if (known != staff->end()) {
    human = *known;
  } else if (HumanByHandle(*staff, invite.newcomer.handle) != nullptr) {
    // Of two invitations of a handle that nobody had, each would make a human of its own, and what
    // the one may not hold beside the other would go unseen.
    return Error(Code::kExists,
                 "this handle was given to somebody since the invitation: withdraw it, and invite "
                 "under another handle, or the same person again");
  } else {
    human.record = crypto::RandomId<base::RecordId>();
    human.id = invite.human;
    human.handle = invite.newcomer.handle;
  }
  const auto same =
      std::ranges::find(human.memberships, invite.membership.member, &Membership::member);
  if (same == human.memberships.end()) {
    if (const auto ended = EndUnmade(organisation_, human); !ended) return ended.error();
    auto held = HeldBy(organisation_, human);
    if (!held) return held.error();
    held->push_back(invite.membership);
    if (const auto status = CheckHeld(organisation_, *held); !status) return status.error();
    human.memberships.push_back(invite.membership);
    if (const auto status = WriteHuman(**cases, human); !status) return status.error();
  }
  const auto realm = organisation_.Get(invite.compartment);
  if (!realm) return realm.error();
  protocol::MemberAdd add;
  add.member = invite.membership.member;
  add.roles = invite.membership.roles;
  add.staff_commit = StaffCommit(invite.compartment, invite.human, invite.membership.r);
  add.join = 0;
  add.invite = invite.invite;
  add.device = invite.request->device;
  add.pop = invite.request->pop;
  return (*realm)->Author(add);
}

base::Result<bool> Inviter::ListNewcomers(const std::vector<OpenInvite>& invites) {
  bool all = true;
  for (const auto& [compartment, realm] : organisation_.realms()) {
    std::vector<Colleague> ready;
    bool concerned = false;
    for (const OpenInvite& invite : invites) {
      if (invite.compartment != compartment) continue;
      if (!concerned) {
        if (const auto synced = realm->Sync(); !synced) return synced.error();
        concerned = true;
      }
      const auto& roster = realm->roster();
      if (roster.UsablePukAt(invite.membership.member, roster.head_seq()) == nullptr) {
        all = false;
        continue;
      }
      ready.push_back(
          {invite.membership.member, invite.newcomer.handle, invite.newcomer.display_name});
    }
    if (ready.empty()) continue;
    if (const auto status = ListEverybody(*realm, ready); !status) return status.error();
  }
  return all;
}

Status Inviter::Withdraw(const OpenInvite& invite) {
  const auto realm = organisation_.Get(invite.compartment);
  if (!realm) return realm.error();
  return (*realm)->server().DeleteOffer(invite.invite);
}

struct Joiner::State {
  protocol::Invitation invitation;
  protocol::DeviceSeed seed;
  protocol::Device device;
  std::unique_ptr<transport::RealmClient> server;
  protocol::Roster roster;
  base::InviteId invite;
  base::Bytes offer_bytes;
  base::Bytes j1;
  protocol::Nonce32 nonce_d{};
  std::optional<protocol::Nonce32> nonce_a;  // once J2 came: it is the same from then on
};

Joiner::Joiner(std::unique_ptr<State> state) : state_(std::move(state)) {}
Joiner::Joiner(Joiner&&) noexcept = default;
Joiner& Joiner::operator=(Joiner&&) noexcept = default;
Joiner::~Joiner() = default;

Compartment Joiner::compartment() const { return state_->roster.compartment(); }

std::string Joiner::fingerprint_words() const {
  return protocol::FingerprintWords(offer_.fingerprint);
}

const protocol::Policy& Joiner::policy() const { return state_->roster.policy(); }

base::Result<Joiner> Joiner::Begin(base::ByteSpan invitation_bytes, std::uint8_t kind) {
  auto invitation = protocol::ReadInvitation(invitation_bytes);
  if (!invitation) return invitation.error();
  transport::RealmAddress address;
  for (const auto& [host, pin] : invitation->hosts) {
    if (address.host_port.empty()) address.host_port = host;
    address.pins.push_back(pin);
  }
  auto server = std::make_unique<transport::RealmClient>(std::move(address));
  const base::InviteId invite = protocol::InviteIdOf(invitation->s);
  auto messages = server->GetJoinMessages(invite);
  if (!messages) return messages.error();
  auto offer = protocol::OpenOffer(invitation->s, messages->offer);
  if (!offer) return offer.error();
  // The pin that was seen before the OFFER opened is compared after it.
  if (offer->hosts != invitation->hosts) {
    return Error(Code::kDecrypt, "the offer is not what the invitation says: ask for a new one");
  }
  // What the person here asked for counts, not what they were handed.
  if (offer->kind != kind) {
    return kind == protocol::kOfferMember
               ? Error(Code::kInvalidArgument,
                       "this invitation makes a device one of somebody who is a member already: "
                       "for another device of your own run `godwit device join`")
               : Error(Code::kInvalidArgument,
                       "this invitation is for a new member, not for another device: for that run "
                       "`godwit member join`");
  }
  if (!messages->j1.empty()) {
    return Error(Code::kExists,
                 "somebody has used this invitation already: tell whoever invited you, and ask for "
                 "a new one");
  }

  const auto statements = server->FetchRoster(0, invite);
  if (!statements) return statements.error();
  protocol::Roster roster;
  for (const base::Bytes& statement : *statements) {
    if (const auto status = roster.Append(statement); !status) return status.error();
  }
  if (roster.empty() || roster.fingerprint() != offer->fingerprint) {
    return Error(Code::kRosterInvalid, "the service shows another realm than the offer names");
  }
  if (roster.size() <= offer->seq) {
    return Error(Code::kRollback, "the service shows an older roster than the offer names");
  }
  if (roster.LinkAt(offer->seq) != offer->link) {
    return Error(Code::kFork, "the service shows another roster than the offer names");
  }

  if (kind == protocol::kOfferDevice) {
    // Nobody makes a device another's.
    const auto* offerer = roster.FindDevice(offer->offerer);
    if (offerer == nullptr || offerer->member != offer->member ||
        !roster.IsActiveAt(offer->offerer, roster.head_seq())) {
      return Error(Code::kRosterInvalid, "the offer is by no active device of the member it names");
    }
  }

  auto seed = protocol::DeviceSeed::Random();
  if (!seed) return seed.error();
  auto device = protocol::Device::FromSeed(*seed);
  if (!device) return device.error();
  auto state = std::make_unique<State>(State{*std::move(invitation),
                                             *std::move(seed),
                                             *std::move(device),
                                             std::move(server),
                                             std::move(roster),
                                             invite,
                                             std::move(messages->offer),
                                             {},
                                             {},
                                             {}});
  crypto::FillRandom(state->nonce_d);
  protocol::JoinRequest request;
  request.device = state->device.keys();
  request.pop = state->device.signing_key().Sign(
      protocol::labels::kRosterPop,
      JoinPopMessage(state->roster.realm(), *offer, invite, state->device.keys()));
  request.commit = protocol::JoinCommit(state->nonce_d, invite);
  state->j1 = protocol::WriteJ1(state->invitation.s, request);
  const auto put = state->server->PutJoinMessage(invite, transport::JoinStep::kJ1, state->j1);
  if (!put) return put.error();
  Joiner joiner(std::move(state));
  joiner.offer_ = *std::move(offer);
  return joiner;
}

base::Result<std::optional<std::string>> Joiner::Poll() {
  const auto messages = state_->server->GetJoinMessages(state_->invite);
  if (!messages) return messages.error();
  if (messages->j1 != state_->j1 || messages->offer != state_->offer_bytes) {
    return Error(Code::kFork,
                 "the service changed the messages of this invitation: ask for a new "
                 "one, and tell whoever invited you");
  }
  if (messages->j2.empty()) return std::optional<std::string>();
  const auto nonce_a = protocol::ReadJ2(state_->invitation.s, messages->j2);
  if (!nonce_a) return nonce_a.error();
  // Whoever knows nonce_d could look for one that shows the same words.
  if (state_->nonce_a.value_or(*nonce_a) != *nonce_a) {
    return Error(Code::kFork,
                 "the service changed the answer to this device: somebody may be in between; ask "
                 "for a new invitation");
  }
  state_->nonce_a = *nonce_a;
  if (messages->j3.empty()) {
    const auto put =
        state_->server->PutJoinMessage(state_->invite, transport::JoinStep::kJ3,
                                       protocol::WriteJ3(state_->invitation.s, state_->nonce_d));
    if (!put) return put.error();
  }
  return std::optional(protocol::Sas(state_->offer_bytes, state_->j1, *nonce_a, state_->nonce_d));
}

base::Result<bool> Joiner::IsAdded() {
  const auto statements = state_->server->FetchRoster(state_->roster.size(), state_->invite);
  if (!statements) return statements.error();
  for (const base::Bytes& statement : *statements) {
    if (const auto status = state_->roster.Append(statement); !status) return status.error();
  }
  const auto* listed = state_->roster.FindDevice(state_->device.id());
  if (listed == nullptr) return false;
  // A device has the roles of its member, whatever they are by now.
  const auto roles = state_->roster.RolesAt(offer_.member, state_->roster.head_seq());
  if (listed->member != offer_.member ||
      (offer_.kind == protocol::kOfferMember && roles != offer_.roles)) {
    return Error(Code::kRosterInvalid, "you were added otherwise than you were offered");
  }
  return true;
}

base::Result<UnlockedRealm> Joiner::TakeKeys(std::string handle) && {
  auto store_key = StoreKey::Random();
  if (!store_key) return store_key.error();
  RealmInfo info;
  info.fingerprint = offer_.fingerprint;
  info.compartment = compartment();
  info.member = offer_.member;
  info.handle = std::move(handle);
  info.hosts = offer_.hosts;
  info.evaluation = state_->roster.policy().evaluation();
  return UnlockedRealm{std::move(state_->seed), std::move(info), *std::move(store_key)};
}

base::Result<std::uint64_t> RemoveFrom(Realm& realm, const base::MemberId& member,
                                       std::uint8_t reason) {
  const auto& roster = realm.roster();
  if (!roster.IsMemberAt(member, roster.head_seq())) return 0;
  const auto* waiting = FindWaiting<protocol::MemberRemove>(roster, member);
  if (waiting != nullptr) return roster.MissingSignatures(*waiting);
  return realm.Author(protocol::MemberRemove{member, reason});
}

base::Result<std::vector<Waiting>> RemoveMember(Organisation& organisation,
                                                const std::string& handle, std::uint8_t reason) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  auto staff = FetchStaff(**cases);
  if (!staff) return staff.error();
  const auto human = std::ranges::find_if(*staff, [&](const Human& h) {
    return h.handle == handle &&
           std::ranges::any_of(h.memberships, [](const Membership& m) { return !m.ended; });
  });
  if (human == staff->end()) {
    return Error(Code::kNotFound, "nobody has this handle: see `godwit member list`");
  }
  std::vector<Waiting> waiting;
  std::vector<Realm*> without_them;
  for (Membership& membership : human->memberships) {
    const auto realm = organisation.Get(membership.compartment);
    if (!realm) return realm.error();
    if (const auto synced = (*realm)->Sync(); !synced) return synced.error();
    const auto missing = RemoveFrom(**realm, membership.member, reason);
    if (!missing) return missing.error();
    if (*missing > 0) {
      waiting.push_back({membership.compartment, *missing});
      continue;
    }
    membership.ended = true;
    without_them.push_back(*realm);
  }
  if (const auto written = WriteHuman(**cases, *human); !written) return written.error();
  for (Realm* realm : without_them) {
    if (const auto listed = ListEverybody(*realm, {}); !listed) return listed.error();
  }
  return waiting;
}

}  // namespace godwit::client
