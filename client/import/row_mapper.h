#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "client/import/csv.h"
#include "client/import/mapping.h"
#include "client/import/target.h"

namespace godwit::client {

// Members' handles, where they are known.
using Handles = std::set<std::string, std::less<>>;

// Why a row is not imported. Logs may have `row` and `line`; the rest is for the user's own screen.
struct Refusal {
  std::uint32_t row = 0;   // counted from 0, without the header
  std::uint32_t line = 0;  // of the file, where the row begins
  std::string column;      // inert; empty: the row as a whole
  std::string_view why;    // a literal
  std::string cell;        // shortened and inert; empty where no cell is at fault
};

// A row in the form that the importer seals: status open, condition normal, a workflow that fits
// the stage, flag IMPORTED; no code and no members, which the importer gives. Of people without a
// case the summary, the case and its context are empty.
struct ImportRow {
  content::v1::Summary summary;
  content::v1::Case case_facts;
  std::optional<content::v1::TraffickingContext> trafficking_context;  // if the mapping has any
  content::v1::IdentityProfile identity_profile;
  std::vector<content::v1::ContactChannel> contacts;
  content::v1::Consent consent;  // of people
  // Of people: names, contacts and the like were left out, since the row has no consent to store
  // them.
  bool nameless = false;
  std::string caseworker_handle;
  std::string supervisor_handle;
};

struct ImportLine {
  std::uint32_t row = 0;
  std::uint32_t line = 0;
  std::variant<ImportRow, std::vector<Refusal>> outcome;  // all that is wrong with the row

  const ImportRow* ok() const { return std::get_if<ImportRow>(&outcome); }
};

struct ImportOptions {
  Day import_day = 0;              // no date of a file lies after it; a stage lasts since then, too
  std::optional<Handles> handles;  // nothing: handles are not checked
};

// Turns rows into records by a mapping. Immutable; safe to use from many threads.
class RowMapper {
 public:
  // `header` is the file's first record, without a fault. E_INVALID_ARGUMENT: a column without a
  // name, two of one name, one that the mapping names and the file lacks, or one that the file has
  // and the mapping neither uses nor ignores; `faults` got at least one.
  static base::Result<RowMapper> Bind(Mapping mapping, const CsvRecord& header,
                                      ImportOptions options, std::vector<Fault>& faults);

  // Maps the record that is row `row` of the file: whole or not at all.
  ImportLine Map(const CsvRecord& record, std::uint32_t row) const;

  const Mapping& mapping() const { return mapping_; }
  const ImportOptions& options() const { return options_; }

 private:
  struct Draft;

  RowMapper(Mapping mapping, ImportOptions options)
      : mapping_(std::move(mapping)), options_(std::move(options)) {}

  void Fill(const Mapping::Field& field, std::size_t column, Draft& draft) const;
  void FillPart(const Mapping::Field& field, std::size_t column, std::string_view part,
                Draft& draft) const;
  std::optional<Value> Read(const Mapping::Field& field, std::size_t column, std::string_view part,
                            Draft& draft) const;
  std::string Handle(const Mapping::Staff& staff, std::size_t column, Draft& draft) const;
  void DropEmptyGroups(Draft& draft) const;
  void CheckConsent(Draft& draft) const;
  void LeaveOutIdentity(Draft& draft) const;
  void FinishCase(Draft& draft) const;
  void FinishPerson(Draft& draft) const;

  Mapping mapping_;
  ImportOptions options_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> field_columns_;  // of mapping_.fields(), where they have one
  std::size_t caseworker_column_ = 0;
  std::size_t supervisor_column_ = 0;
  bool has_trafficking_ = false;
};

}  // namespace godwit::client
