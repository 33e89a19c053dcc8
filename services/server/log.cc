#include "services/server/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>

namespace godwit::server {
namespace {

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("godwit",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                      spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *logger;
}

// Literals of this program hold neither quotes nor control characters in practice; escaping what
// JSON reserves keeps a line a line whatever somebody writes into one.
void AppendText(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') line += '\\';
    line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  line += '"';
}

}  // namespace

void Log(LogLevel level, base::Literal event, std::initializer_list<LogField> fields) {
  auto& logger = Logger();
  if (!logger.should_log(LevelOf(level))) return;
  std::string line = "\"event\":";
  AppendText(line, event.text());
  for (const auto& field : fields) {
    line += ',';
    AppendText(line, field.name.text());
    line += ':';
    if (const auto* text = std::get_if<std::string_view>(&field.value.value())) {
      AppendText(line, *text);
    } else {
      line += std::to_string(std::get<std::uint64_t>(field.value.value()));
    }
  }
  logger.log(LevelOf(level), "{}", line);
}

void SetLogLevel(LogLevel level) { Logger().set_level(LevelOf(level)); }

}  // namespace godwit::server
