#include "tools/verify/summary.h"

#include <array>
#include <cstdint>
#include <ctime>
#include <string>

#include "base/bytes.h"
#include "protocol/kinds.h"
#include "protocol/policy.h"
#include "protocol/words.h"

namespace godwit::verify {
namespace {

using protocol::Roster;

// By type, as docs/protocol.md section 4 names them.
constexpr std::array<const char*, protocol::kLastStatementType + 1> kStatementNames = {
    "GENESIS",       "MEMBER_ADD", "DEVICE_ADD", "DEVICE_REVOKE", "PUK_ROTATE",
    "MEMBER_REMOVE", "ROLE_SET",   "POLICY_SET", "RECOVERY_SET",  "RECOVERY_REQUEST",
    "APPROVE",       "CLOSE",      "ROOT_ROTATE"};

std::string Hex(const auto& fixed) { return base::ToHex(fixed.bytes()); }

std::string Count(std::uint64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string RoleNames(protocol::Roles roles) {
  std::string names;
  for (std::uint32_t bit = 1; bit <= 0x8000; bit <<= 1) {
    const auto role = static_cast<protocol::Roles>(roles & bit);
    if (role != 0) names += (names.empty() ? "" : ", ") + std::string(protocol::RoleName(role));
  }
  return names;
}

std::string_view PermName(protocol::Perm perm) {
  switch (perm) {
    case protocol::kRead:
      return "reads";
    case protocol::kWrite:
      return "writes without reading";
    case protocol::kReadWrite:
      return "reads and writes";
    case protocol::kManage:
      return "manages without reading";
    case protocol::kFull:
      return "reads, writes and manages";
    default:
      return "?";
  }
}

std::string SignerText(const Roster::Signer& signer) {
  return signer.IsRoot() ? "root" : Hex(signer.member);
}

std::string DayText(std::uint32_t day) {
  // A year of more than four digits is nobody's plan.
  constexpr std::uint32_t kLastDay = 2'932'896;
  if (day > kLastDay) return "day " + std::to_string(day);
  const std::time_t seconds = std::time_t{day} * 86'400;
  std::tm date{};
  ::gmtime_r(&seconds, &date);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &date);
  return text.data();
}

void PrintPolicy(const protocol::Policy& policy, std::ostream& out) {
  using protocol::Policy;
  out << "policy        gen " << policy.gen << ": " << Count(policy.owner_threshold, "signature")
      << " for acts of owners, " << static_cast<int>(policy.grant_threshold) << " for grants\n";
  const auto flag = [&](std::uint16_t bit, const char* text) {
    if ((policy.flags & bit) != 0) out << "              " << text << "\n";
  };
  flag(Policy::kEvaluation, "EVALUATION: to try Godwit out, not for real people");
  flag(Policy::kDeviceAddNeedsAdmin, "a new device needs an admin or owner");
  flag(Policy::kKeyService, "keystores need the key service");
  flag(Policy::kSmallOrg, "a small organisation");
  if (policy.has_log) {
    out << "              a log, quorum " << static_cast<int>(policy.quorum) << " of "
        << policy.witnesses.size() << " listed witnesses\n";
  } else {
    out << "              no log: unwitnessed\n";
  }
}

void PrintMembers(const Roster& roster, std::ostream& out) {
  const std::uint64_t head = roster.head_seq();
  out << "members\n";
  for (const auto& [id, member] : roster.members()) {
    out << "  " << Hex(id) << "  " << RoleNames(member.roles.back().second);
    if (member.removed_seq != protocol::kNever) {
      out << "; removed by statement " << member.removed_seq << "\n";
      continue;
    }
    const auto* puk = roster.PukAt(id, head);
    out << "; " << (puk == nullptr ? "no PUK" : "PUK gen " + std::to_string(puk->gen))
        << (roster.IsStaleAt(id, head) ? ", stale" : "") << "\n";
    for (const auto& device : roster.ActiveDevicesAt(id, head)) {
      out << "    device " << Hex(device) << "\n";
    }
  }
}

void PrintPending(const Roster& roster, std::ostream& out) {
  if (roster.pending().empty()) {
    out << "pending       nothing\n";
    return;
  }
  out << "pending\n";
  for (const Roster::Pending& each : roster.pending()) {
    out << "  statement " << each.seq << "  " << kStatementNames[protocol::TypeOf(each.payload)]
        << " by " << SignerText(each.author);
    for (const auto& approval : each.approvals) {
      out << ", approved by " << SignerText(approval.signer);
    }
    out << "\n";
  }
}

void PrintRecovery(const Roster& roster, std::ostream& out) {
  const auto gen = [](std::uint32_t number) {
    return number == 0 ? std::string("none") : "gen " + std::to_string(number);
  };
  out << "recovery      " << gen(roster.RecAt(roster.head_seq())) << "; of sealed vaults "
      << gen(roster.Rec2At(roster.head_seq())) << "\n";
  for (const Roster::Request& request : roster.requests()) {
    if (request.closed_seq != protocol::kNever) continue;
    out << "  BREAK-GLASS open since statement " << request.seq << ", for "
        << Count(request.request.vaults.size(), "vault") << ", to "
        << Hex(request.request.recipient_member) << "\n";
  }
}

}  // namespace

void PrintRoster(const Roster& roster, std::ostream& out) {
  out << "roster: valid, " << Count(roster.size(), "statement") << "\n"
      << "realm         " << Hex(roster.realm()) << " (" << protocol::Name(roster.compartment())
      << ")\n"
      << "words         " << protocol::FingerprintWords(roster.fingerprint()) << "\n"
      << "fingerprint   " << Hex(roster.fingerprint()) << "\n"
      << "root          " << Hex(roster.root_pk()) << "\n"
      << "head          " << roster.head_seq() << " " << Hex(roster.head()) << "\n";
  PrintPolicy(roster.policy(), out);
  PrintMembers(roster, out);
  PrintPending(roster, out);
  PrintRecovery(roster, out);
  out << "Compare the words with an owner's: anybody can make a valid realm of their own. A chain\n"
         "that was cut after a whole statement is valid too: compare the head with somebody's.\n";
}

void PrintVault(const protocol::Vault& vault, const Roster& roster, std::ostream& out) {
  const protocol::EpochInForce& epoch = vault.epoch();
  const protocol::State& state = vault.state();
  std::size_t live = 0;
  for (const auto& [id, record] : vault.records()) live += record.dead ? 0 : 1;
  out << "vault: valid, " << vault.size() << (vault.size() == 1 ? " entry" : " entries") << "\n"
      << "vault         " << Hex(vault.id()) << " (" << protocol::Name(vault.kind()) << ")\n"
      << "head          " << vault.head_seq() << " " << Hex(vault.head()) << "\n"
      << "made by       " << Hex(vault.creator()) << "\n"
      << "records       " << live << " live, " << vault.records().size() - live << " deleted\n";
  if (state.frozen != 0) out << "state         frozen\n";
  if (state.hold != 0) out << "state         on hold: nothing is deleted\n";
  if (state.erase_day != 0)
    out << "state         erased after " << DayText(state.erase_day) << "\n";
  if (vault.waiting()) {
    out << "waiting       a STATE for another member's ASSENT, " << Hex(vault.waiting()->link)
        << "\n";
  }
  if (epoch.number == 0) {
    out << "epoch         none: only its CREATE is there\n";
    return;
  }
  out << "epoch         " << epoch.number << " by " << Hex(epoch.author);
  if (epoch.IsSealed()) {
    out << "; sealed, nobody is listed\n";
    return;
  }
  out << (protocol::IsFresh(epoch, vault.kind(), roster, roster.head_seq())
              ? "; fresh\n"
              : "; not fresh: the roster has changed since, the next writer rekeys\n");
  out << "listed\n";
  for (const auto& [member, row] : epoch.list) {
    out << "  " << Hex(member) << "  " << PermName(row.perm);
    if (row.perm != protocol::kWrite && row.puk_gen == 0) out << "; suspended";
    out << "\n";
  }
  for (const auto& [guest, row] : epoch.guests) out << "  " << Hex(guest) << "  guest\n";
}

std::string_view AdviceOn(base::Code code) {
  switch (code) {
    case base::Code::kSig:
      return "These bytes are not what a device of this realm signed. Dump again (for a vault, "
             "with "
             "the same realm's roster), and compare with a copy from another place; keep both.";
    case base::Code::kFork:
      return "Here the chain does not follow from what stands before. Keep this file, freeze the "
             "vault or realm, and compare with what members' devices hold.";
    case base::Code::kStaleRoster:
      return "The roster's file is too short for this vault. Dump the roster again, after the "
             "vault.";
    case base::Code::kUnsupported:
      return "No judgement on it: use a newer godwit-verify.";
    case base::Code::kDowngrade:
    case base::Code::kRosterInvalid:
    case base::Code::kEntryInvalid:
      return "Its author signed what no honest client signs, and no honest server takes. Keep this "
             "file as evidence and tell the realm's owners.";
    default:
      return "The file says nothing about the chain: make it anew with godwit-admin dump.";
  }
}

}  // namespace godwit::verify
