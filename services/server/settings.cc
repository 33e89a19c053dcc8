#include "services/server/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <utility>

#include "base/text_file.h"

namespace godwit::server {
namespace {

SettingError Wrong(std::string_view name, std::string_view what) {
  return {"setting " + std::string(name) + ": " + std::string(what)};
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string FlagOf(const Setting& setting) {
  std::string flag = "--" + std::string(setting.name);
  std::ranges::replace_if(
      flag, [](char c) { return c == '.' || c == '_'; }, '-');
  return flag;
}

std::string VariableOf(std::string_view prefix, const Setting& setting) {
  std::string name(prefix);
  for (const char c : setting.name) {
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

Settings::Settings(std::span<const Setting> declared) : declared_(declared) {
  for (const auto& setting : declared) {
    if (const auto* text = std::get_if<std::string_view>(&setting.fallback)) {
      values_.emplace(setting.name, std::string(*text));
    } else {
      values_.emplace(setting.name, std::get<std::uint64_t>(setting.fallback));
    }
  }
}

std::optional<SettingError> Settings::ReadFile(const std::string& path) {
  const auto text = base::ReadTextFile(path);
  if (!text) return SettingError{path + ": cannot be read"};
  auto wrong = ReadToml(*text);
  if (wrong) wrong->text = path + ": " + wrong->text;
  return wrong;
}

std::optional<SettingError> Settings::ReadToml(std::string_view text) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return SettingError{"line " + std::to_string(error.source().begin.line) + ": is not TOML"};
  }
  // One level of tables, as the names have.
  std::map<std::string, const toml::node*> found;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (!node.is_table()) {
      found[name] = &node;
      continue;
    }
    for (const auto& [inner, value] : *node.as_table()) {
      found[name + "." + std::string(inner.str())] = &value;
    }
  }
  for (const auto& [name, node] : found) {
    const auto value = values_.find(name);
    if (value == values_.end()) return Wrong(name, "there is no such setting");
    if (std::holds_alternative<std::string>(value->second)) {
      const auto text_value = node->value_exact<std::string>();
      if (!text_value) return Wrong(name, "must be a text");
      value->second = *text_value;
    } else {
      const auto number = node->value_exact<std::int64_t>();
      if (!number || *number < 0) return Wrong(name, "must be a whole number");
      value->second = static_cast<std::uint64_t>(*number);
    }
  }
  return std::nullopt;
}

std::optional<SettingError> Settings::ReadEnvironment(std::string_view prefix,
                                                      const char* const* environment) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view line(*environment);
    if (!line.starts_with(prefix)) continue;
    const auto equals = line.find('=');
    const std::string_view name = line.substr(0, equals);
    const auto setting = std::ranges::find_if(
        declared_, [&](const Setting& each) { return VariableOf(prefix, each) == name; });
    if (setting == declared_.end()) {
      return SettingError{"environment variable " + std::string(name) +
                          ": there is no such setting"};
    }
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : line.substr(equals + 1);
    if (auto wrong = Set(setting->name, value)) return wrong;
  }
  return std::nullopt;
}

std::optional<SettingError> Settings::Set(std::string_view name, std::string_view value) {
  const auto found = values_.find(name);
  if (found == values_.end()) return Wrong(name, "there is no such setting");
  if (auto* text = std::get_if<std::string>(&found->second)) {
    *text = value;
    return std::nullopt;
  }
  const auto number = ParseNumber(value);
  if (!number) return Wrong(name, "must be a whole number");
  found->second = *number;
  return std::nullopt;
}

const std::string& Settings::Text(std::string_view name) const {
  const auto found = values_.find(name);
  assert(found != values_.end());
  return std::get<std::string>(found->second);
}

std::uint64_t Settings::Number(std::string_view name) const {
  const auto found = values_.find(name);
  assert(found != values_.end());
  return std::get<std::uint64_t>(found->second);
}

}  // namespace godwit::server
