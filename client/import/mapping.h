#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/import/target.h"
#include "godwit/content/v1/compartment.pb.h"

namespace godwit::client {

inline constexpr std::size_t kMaxMappingBytes = 1 << 20;

// What is wrong with a mapping, or with a file's header, and where: for the screen of whoever wrote
// it.
struct Fault {
  std::uint32_t line = 0;  // 0: none in particular
  std::string where;       // a key or a column, inert (client/casework/inert.h)
  std::string_view why;    // a literal
};

// What a file of cases or people means, written by people as TOML: docs/guide/importing.md
// describes it. Immutable; safe to read from many threads.
class Mapping {
 public:
  // One target, filled from a column or with a constant.
  struct Field {
    Target target;
    std::vector<Value> constants = {};  // one; of a repeated field any number; of a column none
    std::string column = {};
    bool has_table = false;  // cells are looked up in `values` and nowhere else
    std::map<std::string, Value, std::less<>> values = {};
    std::map<std::string, NoAnswer, std::less<>> no_answers = {};
    std::optional<Target> no_answer_target = {};  // an Answer that says why there is none
    std::vector<DateFormat> formats = {};
    bool zeros = false;
    bool estimated = false;
    std::string separator = {};  // of the parts of a cell; empty: the cell is one
  };

  // Who works on the rows: a column of handles, or a list of which row i takes entry i mod n.
  struct Staff {
    std::string column;
    std::map<std::string, std::string, std::less<>>
        values;  // of a column; empty: cells are handles
    std::vector<std::string> in_turn;
  };

  // E_INVALID_ARGUMENT: `faults` got at least one. A mapping is taken whole or not at all.
  static base::Result<Mapping> Parse(std::string_view toml, std::vector<Fault>& faults);

  // Reads a file as Parse does. E_NOT_FOUND, E_IO; E_INVALID_ARGUMENT also of a file above
  // kMaxMappingBytes.
  static base::Result<Mapping> Load(const std::string& path, std::vector<Fault>& faults);

  Subject subject() const { return subject_; }
  char delimiter() const { return delimiter_; }
  bool trim() const { return trim_; }
  const std::vector<Field>& fields() const { return fields_; }
  const Staff& caseworker() const { return caseworker_; }
  const Staff& supervisor() const { return supervisor_; }
  const std::set<std::string, std::less<>>& ignored_columns() const { return ignored_columns_; }

  // Whether some field has this path.
  bool Gives(std::string_view path) const;

 private:
  friend class MappingParser;
  Mapping() = default;

  Subject subject_ = Subject::kCases;
  char delimiter_ = ',';
  bool trim_ = false;
  std::vector<Field> fields_;
  Staff caseworker_;
  Staff supervisor_;
  std::set<std::string, std::less<>> ignored_columns_;
};

// Whether `text` can be a member's handle: 1 to 64 bytes of UTF-8 without control characters or
// spaces at its ends.
bool IsHandle(std::string_view text);

}  // namespace godwit::client
