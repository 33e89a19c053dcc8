#include "client/cli/alarms.h"

#include "client/casework/inert.h"
#include "client/directory.h"
#include "client/policy_fields.h"
#include "protocol/kinds.h"

namespace godwit::cli {
namespace {

using client::Notice;
using client::Surprise;

constexpr std::size_t kShownDigits = 12;
constexpr std::size_t kLongestNotice = 1000;

std::string RealmName(const client::Realm& realm) {
  return std::string(protocol::Name(realm.compartment()));
}

// What a person reads, and what they are to do.
std::string Text(const Alarm& alarm) {
  const std::string id = alarm.id().substr(0, kShownDigits);
  const std::string confirm = "`godwit device confirm " + id + "`";
  if (alarm.surprise.what == Surprise::What::kPuk) {
    return Translated(
        "somebody made key {0} ({1}) of yours with this device's own key, and this device did not: "
        "whoever did has a copy of it. Revoke this device from another one of yours, or ask an "
        "admin to; tell an owner, by another way than this service. Only if you put back a backup "
        "of this device yourself: {2}.",
        alarm.surprise.gen, id, confirm);
  }
  if (!alarm.surprise.active) {
    return Translated(
        "device {0} was one of yours, this device never heard of it, and it is revoked by now. If "
        "it was not you, tell an owner what it could read. Then: {1}.",
        id, confirm);
  }
  return Translated(
      "device {0} is one of yours by the roster, and this device never heard of it. What is sealed "
      "to you is sealed to it, too. If you added it with another device of yours: {1}. If not, "
      "somebody acts in your name: `godwit device revoke {0} --reason compromised`, now, and tell "
      "an owner, by another way than this service.",
      id, confirm);
}

}  // namespace

std::string Alarm::id() const { return base::ToHex(surprise.id); }

Json Alarm::json() const {
  Json json{{"realm", protocol::Name(realm->compartment())},
            {"what", surprise.what == Surprise::What::kDevice ? "device" : "puk"},
            {"id", id()},
            {"seq", surprise.seq}};
  if (surprise.what == Surprise::What::kDevice) json["active"] = surprise.active;
  return json;
}

base::Result<std::vector<Alarm>> FindAlarms(client::Organisation& organisation) {
  std::vector<Alarm> alarms;
  for (const auto& [compartment, realm] : organisation.realms()) {
    auto surprises = client::Surprises(*realm);
    if (!surprises) return surprises.error();
    for (Surprise& surprise : *surprises) alarms.push_back({realm.get(), std::move(surprise)});
  }
  return alarms;
}

std::string NoticeText(client::Realm& realm, const Notice& notice) {
  const auto name = [&] {
    const auto directory = client::Directory::Read(realm);
    return directory ? directory->NameOf(notice.member)
                     : base::ToHex(notice.member.bytes().first<4>());
  };
  const auto& roster = realm.roster();
  switch (notice.what) {
    case Notice::What::kPolicySet: {
      std::string text = Translated("the policy changed");
      char separator = ':';
      for (const auto& change :
           client::PolicyChanges(roster.PolicyAt(notice.seq - 1), roster.PolicyAt(notice.seq))) {
        text += std::string(1, separator) + " " + change.field + " " +
                (change.before.empty() ? Translated("(none)") : change.before) + " -> " +
                (change.after.empty() ? Translated("(none)") : change.after);
        separator = ',';
      }
      return text;
    }
    case Notice::What::kRecoverySet:
      return Translated("those who can recover keys together are others, or have other shares");
    case Notice::What::kOwnerAdded:
      return Translated("{0} is an owner now", name());
    case Notice::What::kOwnerGone:
      return Translated("{0} is no owner any more", name());
    case Notice::What::kRootRotated:
      return Translated("the root key is another");
    case Notice::What::kMemberAdded:
      return Translated("{0} was added as a member, and you did not sign for it", name());
    case Notice::What::kDeviceAdded:
      return Translated("{0} has another device, and you did not sign for it", name());
  }
  return "";
}

base::Status Alarms::Begin() {
  const auto alarms = FindAlarms(organisation_);
  if (!alarms) return alarms.error();
  for (const Alarm& alarm : *alarms) {
    if (shown_.contains(alarm.id())) continue;
    output_.Emit({{"alarm", alarm.json()}});
    Show(alarm);
  }
  for (const auto& [compartment, realm] : organisation_.realms()) {
    const auto notices = client::TakeNotices(*realm);
    if (!notices) return notices.error();
    for (const Notice& notice : *notices) {
      output_.Note(Translated("New in {0}: {1}.", RealmName(*realm),
                              client::Inert(NoticeText(*realm, notice), kLongestNotice)));
    }
  }
  return {};
}

void Alarms::End() {
  // That they cannot be looked for now is said by the next command, at its beginning.
  const auto alarms = FindAlarms(organisation_);
  if (!alarms) return;
  for (const Alarm& alarm : *alarms) {
    if (!shown_.contains(alarm.id())) Show(alarm);
  }
}

void Alarms::Show(const Alarm& alarm) {
  shown_.insert(alarm.id());
  output_.Note(Translated("ALARM, {0}: {1}", RealmName(*alarm.realm), Text(alarm)));
}

}  // namespace godwit::cli
