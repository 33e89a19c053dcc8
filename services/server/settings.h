#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace godwit::server {

// A setting that a program has: its name in TOML ("quota.create_per_day" stands in table [quota]),
// which is also its flag (--quota-create-per-day), and with a prefix its variable of the
// environment (GODWIT_CASESD_QUOTA_CREATE_PER_DAY). Secrets are settings only as names of files.
struct Setting {
  std::string_view name;
  std::string_view help;
  // Text, or a whole number. A text that is empty here and in the end was not given.
  std::variant<std::string_view, std::uint64_t> fallback;
};

// "--quota-create-per-day"
std::string FlagOf(const Setting& setting);
// "GODWIT_CASESD_QUOTA_CREATE_PER_DAY"
std::string VariableOf(std::string_view prefix, const Setting& setting);

// What went wrong with a setting. An operator must see which one, so unlike an Error this holds
// words of the input: its name, never its value.
struct SettingError {
  std::string text;
};

// The settings of a program: what is declared, overridden by a TOML file, then by the environment,
// then by flags.
class Settings {
 public:
  // `declared` must outlive the settings.
  explicit Settings(std::span<const Setting> declared);

  // Each returns what is wrong, or nothing: unreadable, not TOML, a key that is not declared, a
  // value of the wrong kind.
  std::optional<SettingError> ReadFile(const std::string& path);
  std::optional<SettingError> ReadToml(std::string_view text);
  // `environment` as environ: "NAME=value"; names that begin with `prefix` and are not declared are
  // errors.
  std::optional<SettingError> ReadEnvironment(std::string_view prefix,
                                              const char* const* environment);
  // One flag; `name` is the setting's name.
  std::optional<SettingError> Set(std::string_view name, std::string_view value);

  // The setting must be declared, of that kind.
  const std::string& Text(std::string_view name) const;
  std::uint64_t Number(std::string_view name) const;

 private:
  using Value = std::variant<std::string, std::uint64_t>;

  std::span<const Setting> declared_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace godwit::server
