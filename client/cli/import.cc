#include "client/cli/import.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "client/casework/inert.h"
#include "client/cli/facts.h"
#include "client/cli/render.h"
#include "client/import/dry_run.h"
#include "client/import/sample.h"
#include "client/importer.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;
using client::CaseFile;
using protocol::Compartment;

// Refusals shown to a person; a script gets all of them.
constexpr std::size_t kShownRefusals = 50;

// The same as client::ToText, in the reader's language.
std::string RefusalText(const client::Refusal& refusal) {
  const std::string why = LookUp(refusal.why) + (refusal.cell.empty() ? "" : ": " + refusal.cell);
  return refusal.column.empty()
             ? Translated("line {0}: {1}", refusal.line, why)
             : Translated("line {0}, column {1}: {2}", refusal.line, refusal.column, why);
}

void ShowFaults(Output& output, const std::vector<client::Fault>& faults) {
  for (const client::Fault& fault : faults) {
    output.Line(FaultText(fault), Style::kBad);
    output.Emit({{"fault", Json::parse(client::ToJson(fault))}});
  }
}

base::Result<CaseFile> OpenFile(Output& output, const ImportOptions& options,
                                std::optional<client::Handles> handles) {
  std::vector<client::Fault> faults;
  auto mapping = client::Mapping::Load(options.mapping, faults);
  if (!mapping) {
    ShowFaults(output, faults);
    return mapping.error();
  }
  if (mapping->subject() != options.subject) {
    return options.subject == client::Subject::kPeople
               ? Error(Code::kInvalidArgument,
                       "this mapping is one for cases: use `godwit import cases`, or say imports = "
                       "\"people\" in it")
               : Error(Code::kInvalidArgument,
                       "this mapping is one for people without a case: use `godwit import people`");
  }
  client::ImportOptions import_options;
  import_options.import_day = static_cast<client::Day>(Today());
  import_options.handles = std::move(handles);
  auto file = CaseFile::Open(options.file, *std::move(mapping), std::move(import_options), faults);
  if (!file) ShowFaults(output, faults);
  return file;
}

base::Result<client::Handles> ReadHandles(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return text.error();
  client::Handles handles;
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = client::Trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (!client::IsHandle(line)) {
      return Error(Code::kInvalidArgument, "the file of handles has a handle a line");
    }
    handles.emplace(line);
  }
  return handles;
}

// The handles of a profile that is unlocked already; a dry run asks for no passphrase.
std::optional<client::Handles> HandlesAtHand(const Context& context, client::Subject subject) {
  if (context.common.no_agent) return std::nullopt;
  const auto profile = ChooseProfile(context);
  if (!profile) return std::nullopt;
  auto agent = client::AgentClient::Connect(*profile);
  if (!agent) return std::nullopt;
  const auto unlocked = agent->List();
  if (!unlocked) return std::nullopt;
  const auto realms = client::ImportRealms(subject);
  for (const Compartment compartment : realms) {
    if (std::ranges::find(*unlocked, compartment) == unlocked->end()) return std::nullopt;
  }
  auto session = Session::Open(context, realms, client::Profile::Use::kRead);
  if (!session) return std::nullopt;
  auto handles = client::ImportHandles(session->organisation(), subject);
  if (!handles) return std::nullopt;
  return *std::move(handles);
}

base::Result<client::DryRunReport> ShowDryRun(Output& output, CaseFile& file) {
  std::size_t shown = 0;
  auto report = client::DryRun(file, [&](const client::Refusal& refusal) {
    if (output.json()) {
      output.Emit({{"refused", Json::parse(client::ToJson(refusal))}});
    } else if (shown++ < kShownRefusals) {
      output.Line(RefusalText(refusal), Style::kBad);
    }
  });
  if (shown > kShownRefusals) {
    output.Line(Translated("... and {0} more; --json shows every one.", shown - kShownRefusals));
  }
  return report;
}

ExitCode RunDry(const Context& context, const ImportOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("try the import", why); };
  std::optional<client::Handles> handles;
  if (!options.handles.empty()) {
    auto read = ReadHandles(options.handles);
    if (!read) return fail(read.error());
    handles = *std::move(read);
  } else {
    handles = HandlesAtHand(context, options.subject);
  }
  auto file = OpenFile(output, options, std::move(handles));
  if (!file) return fail(file.error());
  const auto report = ShowDryRun(output, *file);
  if (!report) return fail(report.error());
  output.Emit({{"dry_run", Json::parse(client::ToJson(*report))}});
  if (!output.json()) {
    for (const auto& [target, values] : report->counts) {
      output.Line(client::Inert(target), Style::kStrong);
      std::vector<std::pair<std::string, Cell>> rows;
      for (const auto& [value, count] : values) {
        rows.emplace_back("  " + client::Inert(value), std::to_string(count));
      }
      output.Fields(rows);
    }
    output.Line(Translated("{0} rows, {1} would be refused", report->rows, report->refused_rows),
                report->refused_rows > 0 ? Style::kBad : Style::kGood);
    if (!report->handles_checked) {
      output.Line(
          "Handles were not checked: unlock the profile with `godwit unlock`, or give --handles.",
          Style::kWarning);
    }
  }
  return report->refused_rows > 0 ? ExitCode::kPartly : ExitCode::kOk;
}

}  // namespace

std::string FaultText(const client::Fault& fault) {
  const std::string what = (fault.where.empty() ? "" : fault.where + ": ") + LookUp(fault.why);
  return fault.line == 0 ? what : Translated("line {0}: {1}", fault.line, what);
}

ExitCode ImportFile(const Context& context, const ImportOptions& options) {
  if (options.dry_run) return RunDry(context, options);
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("import", why); };
  auto session = Session::Open(context, client::ImportRealms(options.subject));
  if (!session) return fail(session.error());
  if (const auto synced = SyncNames(session->organisation()); !synced) return fail(synced.error());
  auto handles = client::ImportHandles(session->organisation(), options.subject);
  if (!handles) return fail(handles.error());
  auto file = OpenFile(output, options, *std::move(handles));
  if (!file) return fail(file.error());
  base::Result<client::ImportReport> report = Error(Code::kInternal, "nothing was imported");
  {
    Progress progress(output);
    report = client::ImportRows(session->organisation(), *file, options.skip_refused,
                                [&](std::string_view phase, std::uint64_t done, std::uint64_t all) {
                                  progress.Update(LookUp(phase), done, all);
                                });
  }
  if (!report) {
    // Rows were refused: which, and why.
    if (report.error().code() == Code::kInvalidArgument) (void)ShowDryRun(output, *file);
    return fail(report.error());
  }
  output.Emit({{"event", "imported"},
               {"rows", report->rows},
               {"imported", report->imported},
               {"made_now", report->made_now},
               {"refused", report->refused},
               {"nameless", report->nameless}});
  const bool people = options.subject == client::Subject::kPeople;
  const auto line = [&](base::Literal format) {
    return Fill(LookUp(format.text()), {ValueText(report->imported), ValueText(report->rows),
                                        ValueText(report->made_now), ValueText(report->refused)});
  };
  output.Line(
      people ? line(base::Literal("{0} of {1} rows stand as people, {2} made now, {3} refused"))
             : line(base::Literal("{0} of {1} rows stand as cases, {2} made now, {3} refused")),
      report->refused > 0 ? Style::kWarning : Style::kGood);
  if (report->nameless > 0) {
    output.Line(Translated("{0} are nameless: their rows have no consent to store who somebody is.",
                           report->nameless),
                Style::kWarning);
  }
  return report->refused > 0 ? ExitCode::kPartly : ExitCode::kOk;
}

ExitCode ImportSample(const Context& context, const ImportSampleOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("write the sample", why); };
  client::SampleOptions sample;
  sample.cases = options.cases;
  sample.seed = options.seed;
  sample.today = static_cast<client::Day>(Today());
  sample.caseworkers = options.caseworkers;
  sample.supervisors = options.supervisors;
  if (const Status written = client::WriteSampleFile(sample, options.out); !written) {
    return fail(written.error());
  }
  const Status mapped = client::WriteNewFile(options.mapping_out, [](const client::Write& write) {
    write(kSampleMapping);
    return Status();
  });
  if (!mapped) {
    // One without the other would stand in the way of the next try.
    std::error_code ignored;
    std::filesystem::remove(options.out, ignored);
    return fail(mapped.error());
  }
  output.Emit({{"event", "sample"}, {"cases", options.cases}});
  output.Line("Written: everybody in it is invented. Try it with `godwit import cases --dry-run`.",
              Style::kGood);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
