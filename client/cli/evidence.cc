#include "client/cli/evidence.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "client/casework/inert.h"
#include "client/cli/render.h"
#include "client/directory.h"
#include "client/evidence.h"
#include "client/private_file.h"
#include "protocol/evidence.h"

namespace godwit::cli {
namespace {

using base::Error;
using protocol::Judgement;

// A piece as it would be exported.
struct Piece {
  client::Realm* realm = nullptr;
  base::Code code = base::Code::kInternal;
  protocol::Evidence evidence;
  base::Bytes file;
  std::string name;
};

base::Result<std::vector<Piece>> PiecesOf(Session& session) {
  std::vector<Piece> pieces;
  for (const auto& [compartment, realm] : session.organisation().realms()) {
    const auto all = realm->store().KeptEvidence();
    if (!all) return all.error();
    for (const client::EvidenceItem& kept : *all) {
      auto whole = client::EvidenceOf(realm->store(), kept);
      if (!whole) return whole.error();
      base::Bytes file = protocol::WriteEvidence(*whole);
      std::string name = client::EvidenceName(file);
      pieces.push_back(
          {realm.get(), kept.code, *std::move(whole), std::move(file), std::move(name)});
    }
  }
  return pieces;
}

std::string RealmName(const Piece& piece) {
  return std::string(protocol::Name(piece.realm->compartment()));
}

// Whom a piece names, as colleagues call them.
std::string WhomText(const Piece& piece, const Judgement& judgement) {
  if (!judgement.author) return Translated("the service");
  if (judgement.author->IsRoot()) return Translated("the root key");
  const auto directory = client::Directory::Read(*piece.realm);
  return directory ? directory->NameOf(judgement.author->member)
                   : base::ToHex(judgement.author->member.bytes()).substr(0, 12);
}

}  // namespace

ExitCode EvidenceList(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list the evidence", why); };
  auto session = Session::Open(context, kAllRealms, client::Profile::Use::kRead);
  if (!session) return fail(session.error());
  const auto pieces = PiecesOf(*session);
  if (!pieces) return fail(pieces.error());
  if (pieces->empty()) {
    output.Line("This device has no evidence against anybody.", Style::kGood);
    return ExitCode::kOk;
  }
  Table table{{Column("piece"), Column("realm"), Column("when"), Shrinking("what"), Column("code"),
               Column("names"), Column("proved")},
              {}};
  for (const Piece& piece : *pieces) {
    const std::string what(protocol::Name(piece.evidence.claim));
    const auto judged = protocol::JudgeEvidence(piece.evidence);
    Json json{{"piece", piece.name},
              {"realm", RealmName(piece)},
              {"time", TimeText(piece.evidence.time_ms)},
              {"code", Name(piece.code)},
              {"what", what},
              {"proved", judged && judged->proved},
              {"against", nullptr},
              {"member", nullptr},
              {"device", nullptr},
              {"vault", nullptr}};
    if (judged) {
      json["against"] = judged->author ? "author" : "server";
      if (judged->author && !judged->author->IsRoot()) {
        json["member"] = base::ToHex(judged->author->member.bytes());
        json["device"] = base::ToHex(judged->author->device.bytes());
      }
      if (judged->vault) json["vault"] = base::ToHex(judged->vault->bytes());
    }
    output.Emit(json);
    table.rows.push_back({piece.name, RealmName(piece), TimeLabel(piece.evidence.time_ms), what,
                          std::string(Name(piece.code)),
                          judged ? WhomText(piece, *judged) : Translated("nobody"),
                          judged && judged->proved ? Cell(Translated("yes"), Style::kBad)
                                                   : Cell(Translated("on our word"))});
  }
  output.Show(table);
  output.Line(
      "\n`godwit evidence export DIR` writes these as files; `godwit-verify evidence FILE` judges "
      "one\nanywhere, and says in words what it shows.");
  return ExitCode::kOk;
}

ExitCode EvidenceExport(const Context& context, const EvidenceExportOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("export the evidence", why); };
  auto session = Session::Open(context, kAllRealms, client::Profile::Use::kRead);
  if (!session) return fail(session.error());
  const auto pieces = PiecesOf(*session);
  if (!pieces) return fail(pieces.error());
  const std::filesystem::path dir(options.dir);
  if (const auto made = client::MakePrivateDir(dir); !made) return fail(made.error());
  for (const Piece& piece : *pieces) {
    const std::filesystem::path path = dir / (piece.name + ".evidence");
    // A file is named for its bytes: one that is there was exported before.
    const auto written = client::WriteNewPrivateFile(path, piece.file);
    if (!written && written.error().code() != base::Code::kExists) return fail(written.error());
    output.Emit({{"event", "exported"},
                 {"piece", piece.name},
                 {"realm", RealmName(piece)},
                 {"file", path.string()}});
    output.Line(client::Inert(path.string(), path.string().size()));
  }
  if (pieces->empty()) {
    output.Note("This device has no evidence against anybody.");
  } else {
    output.Note(
        "These files hold the realm's members, roles and devices by their ids: give them to an "
        "owner, by another way than the service.");
  }
  return ExitCode::kOk;
}

}  // namespace godwit::cli
