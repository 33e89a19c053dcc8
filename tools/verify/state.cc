#include "tools/verify/state.h"

#include <cstdint>
#include <set>
#include <string>

#include "base/bytes.h"

namespace godwit::verify {
namespace {

using Json = nlohmann::json;

std::string Hex(const auto& fixed) { return base::ToHex(fixed.bytes()); }

}  // namespace

Json RosterState(const protocol::Roster& roster) {
  const std::uint64_t head = roster.head_seq();
  Json members = Json::object();
  for (const auto& [id, member] : roster.members()) {
    std::set<std::string> devices;
    for (const auto& device : roster.ActiveDevicesAt(id, head)) devices.insert(Hex(device));
    const auto* puk = roster.PukAt(id, head);
    members[Hex(id)] = {{"roles", member.roles.back().second},
                        {"removed", member.removed_seq != protocol::kNever},
                        {"puk_gen", puk == nullptr ? 0 : puk->gen},
                        {"puk_stale", roster.IsStaleAt(id, head)},
                        {"devices", devices}};
  }
  std::set<std::string> pending;
  for (const auto& each : roster.pending()) pending.insert(Hex(each.link));
  std::set<std::string> open;
  for (const auto& each : roster.requests()) {
    if (each.closed_seq == protocol::kNever) open.insert(Hex(each.link));
  }
  return {{"realm", Hex(roster.realm())},
          {"F", Hex(roster.fingerprint())},
          {"head", Hex(roster.head())},
          {"root_pk", Hex(roster.root_pk())},
          {"policy_gen", roster.policy().gen},
          {"rec", roster.RecAt(head)},
          {"rec2", roster.Rec2At(head)},
          {"pending", pending},
          {"open_requests", open},
          {"members", members}};
}

Json VaultState(const protocol::Vault& vault, const protocol::Roster& roster) {
  const protocol::EpochInForce& epoch = vault.epoch();
  Json list = Json::array();
  for (const auto& [member, row] : epoch.list) {
    list.push_back({Hex(member), row.perm, row.puk_gen});
  }
  Json guests = Json::array();
  for (const auto& [guest, row] : epoch.guests) guests.push_back(Hex(guest));
  Json records = Json::object();
  for (const auto& [id, record] : vault.records()) {
    records[Hex(id)] = {{"rver", record.rver}, {"link", Hex(record.link)}, {"dead", record.dead}};
  }
  Json waiting = nullptr;
  if (vault.waiting()) waiting = Hex(vault.waiting()->link);
  Json fresh = nullptr;
  if (epoch.number != 0 && !epoch.IsSealed()) {
    fresh = protocol::IsFresh(epoch, vault.kind(), roster, roster.head_seq());
  }
  return {{"vault", Hex(vault.id())},
          {"kind", static_cast<int>(vault.kind())},
          {"head", Hex(vault.head())},
          {"epoch", epoch.number},
          {"list", list},
          {"guests", guests},
          {"rec_gen", epoch.rec_gen},
          {"frozen", vault.state().frozen},
          {"hold", vault.state().hold},
          {"erase_day", vault.state().erase_day},
          {"waiting", waiting},
          {"epoch_link", Hex(epoch.link)},
          {"pin_link", Hex(vault.pin_link())},
          {"fresh_at_head", fresh},
          {"records", records}};
}

}  // namespace godwit::verify
