#include "tools/verify/verify.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "protocol/roster.h"
#include "protocol/vault.h"
#include "tools/verify/chain_file.h"
#include "tools/verify/state.h"
#include "tools/verify/summary.h"

namespace godwit::verify {
namespace {

using Json = nlohmann::json;

// Why a chain was not judged to its end, or does not hold.
struct Failure {
  ExitCode exit;
  const char* chain;                 // "roster" or "vault"
  std::optional<std::uint64_t> seq;  // nothing where the file has none, or did not open
  base::Error error;
};

// Gives `append` each item of the file, until one fails or the end.
template <class Append>
std::optional<Failure> Judge(const std::filesystem::path& path, const char* chain,
                             const Append& append) {
  auto file = ChainFile::Open(path);
  if (!file) return Failure{kUnusable, chain, std::nullopt, file.error()};
  for (std::uint64_t seq = 0;; ++seq) {
    const auto item = file->Next();
    if (!item) return Failure{kUnusable, chain, seq, item.error()};
    if (!*item) {
      if (seq != 0) return std::nullopt;
      return Failure{kUnusable, chain, std::nullopt,
                     base::Error(base::Code::kInvalidArgument, "the file is empty")};
    }
    const base::Status status = append(**item);
    if (!status) return Failure{kNotValid, chain, seq, status.error()};
  }
}

std::optional<Failure> JudgeRoster(const std::filesystem::path& path, protocol::Roster& roster) {
  return Judge(path, "roster", [&](const base::Bytes& item) { return roster.Append(item); });
}

ExitCode Report(const Failure& failure, const Output& output) {
  if (output.json) {
    Json seq = nullptr;
    if (failure.seq) seq = *failure.seq;
    output.out << Json{{"ok", false},
                       {"chain", failure.chain},
                       {"code", base::Name(failure.error.code())},
                       {"seq", seq},
                       {"state", nullptr}}
               << "\n";
    return failure.exit;
  }
  std::ostream& out = failure.exit == kNotValid ? output.out : output.errors;
  out << failure.chain << ": " << (failure.exit == kNotValid ? "NOT VALID" : "unusable");
  if (failure.seq) {
    out << " at " << (failure.chain == std::string_view("roster") ? "statement " : "entry ")
        << *failure.seq;
  }
  out << "\n"
      << base::Name(failure.error.code()) << ": " << failure.error.message() << "\n"
      << AdviceOn(failure.error.code()) << "\n";
  return failure.exit;
}

void ReportValid(const char* chain, const Json& state, const Output& output) {
  output.out
      << Json{{"ok", true}, {"chain", chain}, {"code", "ok"}, {"seq", nullptr}, {"state", state}}
      << "\n";
}

}  // namespace

ExitCode VerifyRoster(const std::filesystem::path& roster_path, const Output& output) {
  protocol::Roster roster;
  if (const auto failure = JudgeRoster(roster_path, roster)) return Report(*failure, output);
  if (output.json) {
    ReportValid("roster", RosterState(roster), output);
  } else {
    PrintRoster(roster, output.out);
  }
  return kValid;
}

ExitCode VerifyVault(const std::filesystem::path& roster_path,
                     const std::filesystem::path& vault_path, const Output& output) {
  protocol::Roster roster;
  if (const auto failure = JudgeRoster(roster_path, roster)) return Report(*failure, output);
  protocol::Vault vault;
  const auto failure = Judge(vault_path, "vault",
                             [&](const base::Bytes& item) { return vault.Append(item, roster); });
  if (failure) return Report(*failure, output);
  if (output.json) {
    ReportValid("vault", {{"roster", RosterState(roster)}, {"vault", VaultState(vault, roster)}},
                output);
  } else {
    PrintVault(vault, roster, output.out);
    output.out << "\n";
    PrintRoster(roster, output.out);
  }
  return kValid;
}

}  // namespace godwit::verify
