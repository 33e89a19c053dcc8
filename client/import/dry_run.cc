#include "client/import/dry_run.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace godwit::client {
namespace {

using content::v1::AgeBand;
using content::v1::PartialDate;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::ordered_json;

using Counts = std::map<std::string, std::map<std::string, std::uint32_t>>;

std::string Shown(const PartialDate& date) {
  if (date.year() != 0) return std::to_string(date.year());
  return ShortName(
      *PartialDate::Precision_descriptor()->FindValueByNumber(static_cast<int>(date.precision())));
}

std::string Shown(const AgeBand& band) {
  if (band.missing() != content::v1::ANSWER_UNSPECIFIED) {
    return ShortName(*content::v1::Answer_descriptor()->FindValueByNumber(band.missing()));
  }
  const auto from = std::to_string(band.from_years());
  return band.open() ? from + "+" : from + "-" + std::to_string(band.to_years());
}

std::string Shown(const FieldDescriptor& field, const std::string& text) {
  // Codes name nobody; any other text may.
  return field.name() == "citizenships" || field.name() == "languages" ? text : "given";
}

void CountMessage(const Message& message, const std::string& path, Counts& counts);

void CountField(const Message& message, const FieldDescriptor& field, const std::string& path,
                Counts& counts) {
  const auto* reflection = message.GetReflection();
  const int size = field.is_repeated() ? reflection->FieldSize(message, &field) : 1;
  for (int i = 0; i < size; ++i) {
    const auto add = [&](const std::string& value) { ++counts[path][value]; };
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM:
        add(ShortName(field.is_repeated() ? *reflection->GetRepeatedEnum(message, &field, i)
                                          : *reflection->GetEnum(message, &field)));
        break;
      case FieldDescriptor::CPPTYPE_STRING: {
        const auto text = field.is_repeated() ? reflection->GetRepeatedString(message, &field, i)
                                              : reflection->GetString(message, &field);
        add(Shown(field, text));
        break;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const auto& inner = field.is_repeated() ? reflection->GetRepeatedMessage(message, &field, i)
                                                : reflection->GetMessage(message, &field);
        if (const auto* date = dynamic_cast<const PartialDate*>(&inner)) {
          add(Shown(*date));
        } else if (const auto* band = dynamic_cast<const AgeBand*>(&inner)) {
          add(Shown(*band));
        } else {
          CountMessage(inner, path, counts);
        }
        break;
      }
      default:
        add("given");
        break;
    }
  }
}

void CountMessage(const Message& message, const std::string& path, Counts& counts) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    CountField(message, *field, path + "." + field->name(), counts);
  }
}

template <class Place>
ordered_json PlaceJson(const Place& place) {
  ordered_json json;
  if (place.line != 0) json["line"] = place.line;
  return json;
}

}  // namespace

void Count(const ImportRow& row, Counts& counts) {
  CountMessage(row.summary, "summary", counts);
  CountMessage(row.case_facts, "case", counts);
  if (row.trafficking_context) {
    CountMessage(*row.trafficking_context, "trafficking_context", counts);
  }
  CountMessage(row.identity_profile, "identity_profile", counts);
  for (const auto& contact : row.contacts) CountMessage(contact, "contacts", counts);
  CountMessage(row.consent, "consent", counts);
  if (row.nameless) ++counts["nameless"]["without consent"];
  ++counts["caseworker"][row.caseworker_handle];
  ++counts["supervisor"][row.supervisor_handle];
}

base::Result<DryRunReport> DryRun(CaseFile& file,
                                  const std::function<void(const Refusal&)>& on_refusal) {
  DryRunReport report;
  report.sha256 = file.sha256();
  report.handles_checked = file.mapper().options().handles.has_value();
  for (std::uint32_t row = 0; row < file.row_count(); row += kBlockRows) {
    const auto lines = file.Rows(row);
    if (!lines) return lines.error();
    for (const auto& line : *lines) {
      ++report.rows;
      if (const auto* mapped = line.ok()) {
        Count(*mapped, report.counts);
        continue;
      }
      ++report.refused_rows;
      for (const auto& refusal : std::get<std::vector<Refusal>>(line.outcome)) on_refusal(refusal);
    }
  }
  return report;
}

std::string ToText(const Refusal& refusal) {
  std::string text = "line " + std::to_string(refusal.line);
  if (!refusal.column.empty()) text += ", column " + refusal.column;
  text += ": ";
  text += refusal.why;
  if (!refusal.cell.empty()) text += ": " + refusal.cell;
  return text;
}

std::string ToJson(const Refusal& refusal) {
  auto json = PlaceJson(refusal);
  json["row"] = refusal.row;
  json["column"] = refusal.column;
  json["why"] = refusal.why;
  json["cell"] = refusal.cell;
  return json.dump();
}

std::string ToJson(const Fault& fault) {
  auto json = PlaceJson(fault);
  json["where"] = fault.where;
  json["why"] = fault.why;
  return json.dump();
}

std::string ToJson(const DryRunReport& report) {
  ordered_json json;
  json["sha256"] = base::ToHex(report.sha256);
  json["rows"] = report.rows;
  json["refused_rows"] = report.refused_rows;
  json["handles_checked"] = report.handles_checked;
  json["counts"] = report.counts;
  return json.dump();
}

}  // namespace godwit::client
