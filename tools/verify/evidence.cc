#include "tools/verify/evidence.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "protocol/evidence.h"
#include "protocol/words.h"
#include "tools/verify/chain_file.h"

namespace godwit::verify {
namespace {

using Json = nlohmann::json;
using protocol::Claim;
using protocol::Evidence;
using protocol::Judgement;

std::string Hex(const auto& fixed) { return base::ToHex(fixed.bytes()); }

std::string SignerText(const protocol::Roster::Signer& signer) {
  if (signer.IsRoot()) return "whoever holds the realm's root key";
  if (std::ranges::equal(signer.member.bytes(), signer.device.bytes())) {
    return "guest " + Hex(signer.member);
  }
  return "member " + Hex(signer.member) + " with device " + Hex(signer.device);
}

// What whoever is named did.
std::string_view DeedOf(const Judgement& judgement) {
  const bool by_author = judgement.author.has_value();
  switch (judgement.claim) {
    case Claim::kStatement:
      return by_author ? "signed a statement that the rules refuse"
                       : "showed a statement that the rules refuse";
    case Claim::kTwoStatements:
      return by_author ? "signed a statement that the rules refuse"
                       : "showed another statement in the place of one that was seen";
    case Claim::kEntry:
      return by_author ? "signed an entry that the rules refuse"
                       : "showed an entry that the rules refuse";
    case Claim::kTwoEntries:
      return by_author ? "signed an entry that the rules refuse"
                       : "showed another entry in the place of one that was seen";
    case Claim::kOlderRoster:
      return "showed an older roster than before";
    case Claim::kOlderVault:
      return "showed an older state of a vault than before";
    case Claim::kOtherRealm:
      return "showed the roster of another realm";
    case Claim::kOtherVault:
      return "showed another vault than the one asked for";
    case Claim::kRecordChanged:
      return "changed the bytes of a record";
    case Claim::kRecordClosed:
      return "wrote a record that does not open";
    case Claim::kVekBoxChanged:
      return "changed the box of a vault's key";
    case Claim::kVekBoxClosed:
      return "listed a box that does not hold the vault's key";
    case Claim::kVekBoxNotOfKey:
      return "listed a box that is not of the vault's key";
    case Claim::kWrapClosed:
      return "listed a wrap that does not hold the vault's older key";
    case Claim::kPukBoxChanged:
      return "changed the box of a member's key";
    case Claim::kPukBoxClosed:
      return "listed a box that does not hold the member's key";
    case Claim::kRow:
      return by_author ? "signed an entry that the rules refuse"
                       : "showed a row of a board that does not verify";
    case Claim::kOtherRow:
      return judgement.finding.code() == base::Code::kRollback
                 ? "showed an older row of a board than before"
                 : "showed another row of a board than before";
  }
  return "";
}

ExitCode ReportFailure(ExitCode exit, const base::Error& error, const Output& output) {
  if (output.json) {
    output.out << Json{{"ok", false},
                       {"what", nullptr},
                       {"proved", false},
                       {"against", nullptr},
                       {"member", nullptr},
                       {"device", nullptr},
                       {"code", Name(error.code())},
                       {"seq", nullptr},
                       {"vault", nullptr},
                       {"signers", Json::array()},
                       {"time_ms", nullptr},
                       {"F", nullptr}}
               << "\n";
    return exit;
  }
  (exit == kNotValid ? output.out : output.errors)
      << "evidence: " << (exit == kNotValid ? "ACCUSES NOBODY" : "unusable") << "\n"
      << base::Name(error.code()) << ": " << error.message() << "\n";
  return exit;
}

void PrintJson(const Evidence& evidence, const Judgement& judgement, std::ostream& out) {
  const auto member = [](const protocol::Roster::Signer& signer) {
    return signer.IsRoot() ? Json() : Json(Hex(signer.member));
  };
  const auto device = [](const protocol::Roster::Signer& signer) {
    return signer.IsRoot() ? Json() : Json(Hex(signer.device));
  };
  Json signers = Json::array();
  for (const auto& signer : judgement.signers) {
    signers.push_back({{"member", member(signer)}, {"device", device(signer)}});
  }
  out << Json{{"ok", true},
              {"what", protocol::Name(judgement.claim)},
              {"proved", judgement.proved},
              {"against", judgement.author ? "author" : "server"},
              {"member", judgement.author ? member(*judgement.author) : Json()},
              {"device", judgement.author ? device(*judgement.author) : Json()},
              {"code", Name(judgement.finding.code())},
              {"seq", judgement.seq ? Json(*judgement.seq) : Json()},
              {"vault", judgement.vault ? Json(Hex(*judgement.vault)) : Json()},
              {"signers", signers},
              {"time_ms", evidence.time_ms},
              {"F", Hex(evidence.fingerprint)}}
      << "\n";
}

void PrintText(const Evidence& evidence, const Judgement& judgement, std::ostream& out) {
  out << "evidence: " << (judgement.proved ? "PROVED" : "NOT PROVED, but consistent") << "\n"
      << "who           "
      << (judgement.author ? SignerText(*judgement.author) : std::string("the server")) << "\n"
      << "did           " << DeedOf(judgement) << "\n"
      << "rule          " << base::Name(judgement.finding.code()) << ": "
      << judgement.finding.message() << "\n";
  if (judgement.vault) out << "vault         " << Hex(*judgement.vault) << "\n";
  if (judgement.seq) {
    out << (judgement.vault ? "entry         " : "statement     ") << *judgement.seq << "\n";
  }
  if (judgement.signers.size() == 2) {
    out << "seen          signed by " << SignerText(judgement.signers[0]) << "\n"
        << "shown         signed by " << SignerText(judgement.signers[1]) << "\n";
  }
  out << "realm         " << Hex(protocol::RealmOf(evidence.fingerprint)) << "\n"
      << "words         " << protocol::FingerprintWords(evidence.fingerprint) << "\n";
  if (judgement.proved) {
    out << "The signature is right, and the signed bytes name all that they are judged by: nobody\n"
           "else can have made them, and nothing that was left out makes them right. Compare the\n"
           "words with an owner's: anybody can make a realm of their own.\n";
  } else if (judgement.author) {
    out << "It rests on the word of whoever kept it: only who holds the key in question can try\n"
           "it again. Ask another member of the vault whether it opens there.\n";
  } else {
    out << "That the server showed this rests on the word of whoever kept it: the server signs\n"
           "nothing. Ask others what it showed to them.\n";
  }
  if (judgement.signers.size() == 2) {
    out << "Whoever signed these two need not have done wrong: a client signs again for a place\n"
           "where its first try was refused or lost.\n";
  }
}

}  // namespace

ExitCode VerifyEvidence(const std::filesystem::path& path, const Output& output) {
  const auto bytes = ReadWhole(path);
  if (!bytes) return ReportFailure(kUnusable, bytes.error(), output);
  const auto evidence = protocol::ReadEvidence(*bytes);
  if (!evidence) return ReportFailure(kNotValid, evidence.error(), output);
  const auto judgement = protocol::JudgeEvidence(*evidence);
  if (!judgement) return ReportFailure(kNotValid, judgement.error(), output);
  if (output.json) {
    PrintJson(*evidence, *judgement, output.out);
  } else {
    PrintText(*evidence, *judgement, output.out);
  }
  return kValid;
}

}  // namespace godwit::verify
