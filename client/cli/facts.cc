#include "client/cli/facts.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "client/casework/inert.h"
#include "client/import/target.h"
#include "client/private_file.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr std::size_t kMaxText = 64 << 10;

}  // namespace

base::Result<client::Change> ReadChange(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return Error(Code::kInvalidArgument, "a fact is written path=value: summary.risk=high");
  }
  client::Change change{std::string(client::Trimmed(text.substr(0, equals))),
                        std::string(client::Trimmed(text.substr(equals + 1)))};
  if (change.path.empty()) {
    return Error(Code::kInvalidArgument, "a fact has a name before its =: summary.risk=high");
  }
  return change;
}

base::Result<std::string> ReadText(const std::string& path) {
  const bool from_stdin = path == "-";
  const client::OwnedFd file(from_stdin ? dup(STDIN_FILENO)
                                        : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok() && errno == ENOENT) return Error(Code::kNotFound, "there is no such file");
  if (!file.ok()) return Error(Code::kIo, "the file cannot be opened");
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) return Error(Code::kCancelled, "interrupted");
    if (got < 0) return Error(Code::kIo, "the file cannot be read");
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxText) return Error(Code::kInvalidArgument, "the text is too long");
  }
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

base::Result<std::vector<client::Change>> ReadChanges(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return text.error();
  std::vector<client::Change> changes;
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = client::Trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#' || line == "\r") continue;
    auto change = ReadChange(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    if (!change) return change.error();
    changes.push_back(*std::move(change));
  }
  return changes;
}

base::Result<std::vector<client::Change>> ReadFacts(const std::vector<std::string>& facts,
                                                    const std::string& from) {
  std::vector<client::Change> changes;
  for (const std::string& fact : facts) {
    auto change = ReadChange(fact);
    if (!change) return change.error();
    changes.push_back(*std::move(change));
  }
  if (from.empty()) return changes;
  auto more = ReadChanges(from);
  if (!more) return more.error();
  for (client::Change& change : *more) changes.push_back(std::move(change));
  return changes;
}

bool MayBeArgument(std::string_view path) {
  return path.starts_with("summary.") || (path.starts_with("case.") && path != "case.to_desk" &&
                                          path != "case.identification_source_original");
}

Status FillIn(const std::vector<client::Change>& changes, client::NewCase& new_case) {
  client::RowRecords records;
  records.summary = new_case.summary;
  records.case_facts = new_case.facts;
  records.identity_profile = new_case.profile;
  if (new_case.trafficking) records.trafficking_context = *new_case.trafficking;
  for (const client::Change& change : changes) {
    const auto target = client::Target::Find(change.path);
    if (!target) return target.error();
    const auto value = target->Parse(change.value);
    if (!value) return value.error();
    target->Set(*value, records);
    if (change.path.starts_with("trafficking_context.")) new_case.trafficking.emplace();
  }
  new_case.summary = std::move(records.summary);
  new_case.facts = std::move(records.case_facts);
  new_case.profile = std::move(records.identity_profile);
  if (new_case.trafficking) new_case.trafficking = std::move(records.trafficking_context);
  return {};
}

}  // namespace godwit::cli
