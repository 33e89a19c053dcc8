#include "client/casework/assign.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace godwit::client {
namespace {

using content::v1::Record;

// The record after `text` was typed for `path` of its body.
base::Status Typed(Record& record, const std::string& path, const std::string& text) {
  const auto field = FieldPath::Find(*BodyOf(record).GetDescriptor(), path);
  if (!field) return field.error();
  return Assign(*field, text, record);
}

Record Profile() {
  Record record;
  MakeBody(Record::kIdentityProfile, record);
  return record;
}

TEST(Assign, TheFourKindsOfNoAnswerStayFour) {
  struct Row {
    const char* text;
    content::v1::Answer why;
  };
  for (const Row& row : std::vector<Row>{{"?unknown", content::v1::ANSWER_UNKNOWN},
                                         {"?not_asked", content::v1::ANSWER_NOT_ASKED},
                                         {"?refused", content::v1::ANSWER_REFUSED},
                                         {"?not_applicable", content::v1::ANSWER_NOT_APPLICABLE}}) {
    SCOPED_TRACE(row.text);
    Record record = Profile();
    ASSERT_TRUE(Typed(record, "occupation", "cook"));
    ASSERT_TRUE(Typed(record, "occupation", row.text));
    EXPECT_EQ(record.identity_profile().occupation(), "");
    ASSERT_EQ(record.unanswered_size(), 1);
    EXPECT_EQ(record.unanswered(0).field(), "occupation");
    EXPECT_EQ(record.unanswered(0).why(), row.why);
    // Another reason takes its place, and an answer ends it.
    ASSERT_TRUE(Typed(record, "occupation", "?refused"));
    ASSERT_EQ(record.unanswered_size(), 1);
    EXPECT_EQ(record.unanswered(0).why(), content::v1::ANSWER_REFUSED);
    ASSERT_TRUE(Typed(record, "occupation", "farmer"));
    EXPECT_EQ(record.unanswered_size(), 0);
  }
}

TEST(Assign, AFieldWithWordsOfItsOwnSaysItItself) {
  Record record = Profile();
  ASSERT_TRUE(Typed(record, "sex", "?refused"));
  EXPECT_EQ(record.identity_profile().sex(), content::v1::SEX_REFUSED);
  EXPECT_EQ(record.unanswered_size(), 0);
  // One that lacks the word has it beside.
  ASSERT_TRUE(Typed(record, "sex", "?not_applicable"));
  EXPECT_EQ(record.identity_profile().sex(), content::v1::SEX_UNSPECIFIED);
  EXPECT_EQ(record.unanswered_size(), 1);
}

TEST(Assign, DatesKeepThePrecisionThatWasTyped) {
  struct Row {
    const char* text;
    content::v1::PartialDate::Precision precision;
    int year;
    unsigned month;
    unsigned day;
  };
  using content::v1::PartialDate;
  for (const Row& row : std::vector<Row>{{"2012", PartialDate::PRECISION_YEAR, 2012, 0, 0},
                                         {"2012-04", PartialDate::PRECISION_MONTH, 2012, 4, 0},
                                         {"2012-04-30", PartialDate::PRECISION_DAY, 2012, 4, 30},
                                         {"?unknown", PartialDate::PRECISION_UNKNOWN, 0, 0, 0}}) {
    SCOPED_TRACE(row.text);
    Record record = Profile();
    ASSERT_TRUE(Typed(record, "birth.date", row.text));
    const auto& date = record.identity_profile().birth().date();
    EXPECT_EQ(date.precision(), row.precision);
    EXPECT_EQ(date.year(), row.year);
    EXPECT_EQ(date.month(), row.month);
    EXPECT_EQ(date.day(), row.day);
  }
}

TEST(Assign, AListIsWhatWasTypedLast) {
  Record record = Profile();
  ASSERT_TRUE(Typed(record, "languages", "ko, zh-Hans ,en"));
  EXPECT_EQ(record.identity_profile().languages_size(), 3);
  ASSERT_TRUE(Typed(record, "languages", "th"));
  ASSERT_EQ(record.identity_profile().languages_size(), 1);
  EXPECT_EQ(record.identity_profile().languages(0), "th");
  ASSERT_TRUE(Typed(record, "languages", ""));
  EXPECT_EQ(record.identity_profile().languages_size(), 0);
}

TEST(Assign, WhatIsWrongChangesNothing) {
  Record record = Profile();
  ASSERT_TRUE(Typed(record, "languages", "ko"));
  ASSERT_TRUE(Typed(record, "names[0].full", "가나다"));
  const std::string before = record.SerializeAsString();
  struct Row {
    const char* path;
    const char* text;
  };
  for (const Row& row : std::vector<Row>{{"languages", "ko, not a language!"},
                                         {"sex", "purple"},
                                         {"occupation", "?perhaps"},
                                         {"names[0]", "x"},
                                         {"names[16].full", "x"},
                                         {"names.full", "x"},
                                         {"nothing", "x"},
                                         {"deceased", "maybe"},
                                         {"birth.date", "2012-13"},
                                         {"birth", "2012"}}) {
    SCOPED_TRACE(row.path);
    EXPECT_FALSE(Typed(record, row.path, row.text));
    EXPECT_EQ(record.SerializeAsString(), before);
  }
}

TEST(Assign, NumbersAndAmountsAreRead) {
  Record service;
  MakeBody(Record::kService, service);
  ASSERT_TRUE(Typed(service, "amount", "120.50 USD"));
  EXPECT_EQ(service.service().amount().minor(), 12050);
  EXPECT_FALSE(Typed(service, "amount", "120.50"));
  Record incident;
  MakeBody(Record::kIncident, incident);
  ASSERT_TRUE(Typed(incident, "severity", "3"));
  EXPECT_EQ(incident.incident().severity(), 3u);
  for (const char* text : {"-1", "3.5", "three", "99999999999"}) {
    EXPECT_FALSE(Typed(incident, "severity", text)) << text;
  }
}

// Whatever a later program wrote beside, an edit by this one leaves there.
TEST(Assign, FieldsOfALaterProgramSurviveAnEdit) {
  Record record = Profile();
  auto& body = BodyOf(record);
  body.GetReflection()->MutableUnknownFields(&body)->AddLengthDelimited(200, "later");
  record.GetReflection()->MutableUnknownFields(&record)->AddVarint(300, 7);
  Record read;
  ASSERT_TRUE(read.ParseFromString(record.SerializeAsString()));
  ASSERT_TRUE(Typed(read, "occupation", "cook"));
  const auto& edited = read.GetReflection()->GetMessage(
      read, Record::descriptor()->FindFieldByName("identity_profile"));
  EXPECT_EQ(edited.GetReflection()->GetUnknownFields(edited).field_count(), 1);
  EXPECT_EQ(read.GetReflection()->GetUnknownFields(read).field_count(), 1);
}

}  // namespace
}  // namespace godwit::client
