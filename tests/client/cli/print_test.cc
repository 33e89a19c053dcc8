#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>

#include "client/cli/case_card.h"
#include "client/cli/consent_form.h"
#include "client/cli/language.h"
#include "client/cli/paper.h"
#include "client/cli/referral_letter.h"
#include "client/cli/render.h"
#include "client/cli/withdrawal_letter.h"
#include "client/print/pdf.h"

namespace godwit::cli {
namespace {

using content::v1::Record;

constexpr std::uint32_t kDay = 22400;

// All texts of a document, a line each.
std::string TextOf(const print::Document& document) {
  std::string text = document.title + "\n" + document.footer + "\n";
  struct Visitor {
    std::string& text;
    void operator()(const print::Heading& block) const { text += block.text + "\n"; }
    void operator()(const print::Paragraph& block) const { text += block.text + "\n"; }
    void operator()(const print::Field& block) const {
      text += block.label + ": " + block.value + "\n";
    }
    void operator()(const print::Choice& block) const {
      text += block.question;
      for (const auto& option : block.options) {
        text += (option.ticked ? " [X] " : " [ ] ") + option.label;
      }
      text += "\n";
    }
    void operator()(const print::Signatures& block) const {
      for (const auto& label : block.labels) text += label + "\n";
    }
  };
  for (const auto& block : document.blocks) std::visit(Visitor{text}, block);
  return text;
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// What `make` makes in the language of a paper, by the catalogs of this tree.
print::Document In(const std::string& language, const std::function<print::Document()>& make) {
  print::Document document;
  EXPECT_TRUE(InLanguage(LanguageOf(language), {GODWIT_LOCALE}, [&] { document = make(); }))
      << language;
  document.language = language;
  return document;
}

// Words of English that stand in a text once these are out of it: nobody translated them.
std::string EnglishIn(std::string text, const std::vector<std::string>& expected) {
  for (const std::string& each : expected) {
    for (std::size_t at = 0; (at = text.find(each)) != std::string::npos;) {
      text.erase(at, each.size());
    }
  }
  std::string found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(text[i])) == 0) continue;
    found += text[i];
    if (i + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[i + 1])) == 0) {
      found += ' ';
    }
  }
  return found;
}

TEST(Paper, IsInALanguageThatItIsThereIn) {
  EXPECT_EQ(PaperLanguages(), (std::vector<std::string>{"en", "ko", "zh", "th"}));
  for (const auto& [chosen, want] : std::map<std::string, std::string>{
           {"en", "en"}, {"en-GB", "en"}, {"ko", "ko"}, {"zh-Hans", "zh"}, {"zh_CN", "zh"}}) {
    EXPECT_EQ(*PaperLanguage(chosen), want);
  }
  for (const char* none : {"", "tlh", "kok", "-ko"}) {
    EXPECT_EQ(PaperLanguage(none).error().code(), base::Code::kInvalidArgument) << none;
  }
}

TEST(Paper, IsNotInEnglishWhereATranslationWasAskedForThatIsNotInstalled) {
  const auto make = [] { return print::Document{.title = Translated("Status")}; };
  EXPECT_EQ(PaperIn("ko", make).error().code(), base::Code::kNotFound);
  EXPECT_EQ(PaperIn("tlh", make).error().code(), base::Code::kInvalidArgument);
  const auto english = PaperIn("en", make);
  ASSERT_TRUE(english);
  EXPECT_EQ(english->title, "Status");
  EXPECT_EQ(english->language, "en");
}

TEST(ConsentForm, IsThereInEveryLanguageOnOneOrTwoPages) {
  for (const std::string& language : PaperLanguages()) {
    SCOPED_TRACE(language);
    const auto form = ConsentForm(language + "-x-any", nullptr);
    ASSERT_TRUE(form);
    EXPECT_EQ(form->language, language);
    const auto count = [&]<class Block>(Block*) {
      return std::ranges::count_if(form->blocks, [](const print::Block& block) {
        return std::holds_alternative<Block>(block);
      });
    };
    EXPECT_EQ(count(static_cast<print::Choice*>(nullptr)), 10) << "who answered, and nine purposes";
    EXPECT_EQ(count(static_cast<print::Signatures*>(nullptr)), 1);
    EXPECT_FALSE(Has(TextOf(*form), "[X]")) << "blank";
    const auto pdf = print::MakePdf(*form);
    ASSERT_TRUE(pdf) << pdf.error().message();
    EXPECT_LE(pdf->pages, 2u);
  }
  EXPECT_EQ(ConsentForm("tlh", nullptr).error().code(), base::Code::kInvalidArgument);
  EXPECT_EQ(ConsentForm("", nullptr).error().code(), base::Code::kInvalidArgument);
}

TEST(ConsentForm, ShowsWhatWasAnsweredByWhomAndInWhichLanguage) {
  FilledConsent filled{"7K3MQ9TX2A*", "Haneul\x1b Specimen", {}};
  auto& consent = filled.consent;
  consent.set_from(content::v1::CONSENT_FROM_CAREGIVER);
  consent.set_services(content::v1::ANSWER_YES);
  consent.set_share_partner(content::v1::ANSWER_YES);
  consent.set_share_partner_org("Invented Aid");
  consent.set_share_unhcr(content::v1::ANSWER_NO);
  consent.set_tracing(content::v1::ANSWER_REFUSED);
  consent.set_language("th");
  consent.set_given_day(kDay);
  const auto form = ConsentForm("en", &filled);
  ASSERT_TRUE(form);
  const std::string text = TextOf(*form);
  for (const char* each :
       {"Case: 7K3M-Q9TX-2A*", "Asked by: Haneul\\u{1b} Specimen", "Language: th",
        "[ ] the person [X] a parent or caregiver [ ] somebody else",
        "services for you? [X] yes [ ] no [ ] no answer",
        "Which partner organisation: Invented Aid",
        "UNHCR, the refugee agency of the United Nations, what it needs to know to help you? [ ] "
        "yes "
        "[X] no [ ] no answer",
        "separated? [ ] yes [ ] no [X] no answer",
        "photograph of you? [ ] yes [ ] no [X] no answer", "Date of the answers: 2031-05-01"}) {
    EXPECT_TRUE(Has(text, each)) << each << "\n" << text;
  }
  EXPECT_FALSE(Has(text, "Taken back on"));
  consent.set_withdrawn_day(kDay + 1);
  EXPECT_TRUE(Has(TextOf(*ConsentForm("en", &filled)), "Taken back on: 2031-05-02"));
}

// A case with everything in it, and words wherever a case vault has any.
CardFacts FullCase() {
  CardFacts facts;
  auto& summary = facts.summary;
  summary.set_code("7K3MQ9TX2A*");
  summary.set_status(content::v1::CASE_STATUS_OPEN);
  summary.set_stage(content::v1::CASE_STAGE_IN_TRANSIT);
  summary.set_stage_since_day(kDay);
  summary.set_condition(content::v1::CASE_CONDITION_NORMAL);
  summary.set_workflow(content::v1::WORKFLOW_SERVICE_PROVISION);
  summary.set_risk(content::v1::RISK_LEVEL_HIGH);
  summary.set_caseworker("0123456789abcdef");
  summary.set_supervisor("0123456789abcdef");
  summary.set_sex(content::v1::SEX_FEMALE);
  summary.mutable_age_band()->set_from_years(9);
  summary.mutable_age_band()->set_to_years(17);
  summary.set_population(content::v1::POPULATION_GROUP_SPOUSE_OR_PARENT_THIRD_COUNTRY);
  summary.set_region_band(content::v1::REGION_BAND_FIRST_COUNTRY);
  for (int i = 1; i < content::v1::CaseFlag_ARRAYSIZE; ++i) {
    summary.add_flags(static_cast<content::v1::CaseFlag>(i));
  }
  summary.set_gate_cleared(true);
  summary.set_gate_bia(true);
  summary.set_gate_bid(true);
  auto& consent = *summary.mutable_consent();
  consent.set_services(content::v1::ANSWER_YES);
  consent.set_store_identity(content::v1::ANSWER_NOT_APPLICABLE);
  consent.set_share_partner(content::v1::ANSWER_NOT_APPLICABLE);
  consent.set_share_authority(content::v1::ANSWER_NOT_APPLICABLE);
  consent.set_share_unhcr(content::v1::ANSWER_NOT_APPLICABLE);
  consent.set_reporting_aggregate(content::v1::ANSWER_NOT_APPLICABLE);
  consent.set_tracing(content::v1::ANSWER_NOT_APPLICABLE);
  summary.set_approval_assessment(content::v1::APPROVAL_STATE_APPROVED);
  summary.set_approval_case_plan(content::v1::APPROVAL_STATE_PENDING);
  summary.set_approval_closure(content::v1::APPROVAL_STATE_REJECTED);
  summary.set_next_due_day(kDay + 7);
  auto& of = *facts.records.emplace_back().mutable_case_();
  of.mutable_registration_date()->set_precision(content::v1::PartialDate::PRECISION_MONTH);
  of.mutable_registration_date()->set_year(2031);
  of.mutable_registration_date()->set_month(4);
  of.set_identification_source(content::v1::IDENTIFICATION_SOURCE_COMMUNITY);
  of.set_identification_source_original("sister of Ri Pogi");
  of.set_to_desk("Ri Pogi waits");
  for (std::uint32_t i = 0; i < 20; ++i) {
    auto& follow_up = *facts.records.emplace_back().mutable_follow_up();
    follow_up.set_type(content::v1::FOLLOW_UP_TYPE_HEALTH_CHECK);
    follow_up.set_due_day(kDay + i);
    auto& service = *facts.records.emplace_back().mutable_service();
    service.set_type(content::v1::SERVICE_TYPE_FAMILY_REUNIFICATION);
    service.set_status(content::v1::SERVICE_STATUS_IN_PROGRESS);
    service.set_appointment_day(kDay + i);
    service.set_implemented_day(kDay + i);
    service.set_provider_agency("Ri Pogi and sons");
    service.set_budget_line("for Ri Pogi");
    auto& incident = *facts.records.emplace_back().mutable_incident();
    incident.set_type(content::v1::INCIDENT_TYPE_AUTHORITY_PRACTICE_CHANGE);
    incident.set_severity(4);
    incident.set_status(content::v1::INCIDENT_STATUS_OPEN);
    incident.set_verification(content::v1::VERIFICATION_UNVERIFIED);
    incident.set_discovered_day(kDay + i);
    auto& step = *facts.records.emplace_back().mutable_authority_process();
    step.set_step(content::v1::AUTHORITY_STEP_JOINT_QUESTIONING);
    step.mutable_date()->set_precision(content::v1::PartialDate::PRECISION_YEAR);
    step.mutable_date()->set_year(2031);
    auto& comment = *facts.records.emplace_back().mutable_comment();
    comment.set_text("Ri Pogi asks");
  }
  return facts;
}

TEST(CaseCard, IsOnePageHoweverMuchThereIs) {
  const auto card = CaseCard(FullCase(), kDay + 30);
  const auto pdf = print::MakePdf(card);
  ASSERT_TRUE(pdf) << pdf.error().message();
  EXPECT_EQ(pdf->pages, 1u);
  const std::string text = TextOf(card);
  for (const char* each :
       {"Case 7K3M-Q9TX-2A*", "as of 2031-05-31",
        "Stage: in transit, since "
        "2031-05-01",
        "Risk: high", "Age: 9-17", "Registered: 2031-04", "services yes, identity not applicable",
        "plan pending", "screening clear, best interests assessed", "Next due: 2031-05-08",
        "health check: due 2031-05-01", "done 2031-05-20", "severity 4, open, unverified",
        "joint questioning: 2031", "Services (4 of 20)"}) {
    EXPECT_TRUE(Has(text, each)) << each << "\n" << text;
  }
  // What is due first is shown, and what was done last; the others are counted.
  EXPECT_FALSE(Has(text, "due 2031-05-20"));
  EXPECT_FALSE(Has(text, "done 2031-05-01"));
}

TEST(CaseCard, IsOnePageInTheLanguageOfWhoeverReadsIt) {
  for (const std::string& language : PaperLanguages()) {
    SCOPED_TRACE(language);
    const auto card = In(language, [] { return CaseCard(FullCase(), kDay + 30); });
    const auto pdf = print::MakePdf(card);
    ASSERT_TRUE(pdf) << pdf.error().message();
    EXPECT_EQ(pdf->pages, 1u);
    const std::string text = TextOf(card);
    EXPECT_TRUE(Has(text, DayLabel(kDay + 7, LanguageOf(language)))) << text;
    if (language == "en") continue;
    EXPECT_EQ(EnglishIn(text, {"7K3M-Q9TX-2A", "UNHCR"}), "") << text;
  }
  const std::string korean = TextOf(In("ko", [] { return CaseCard(FullCase(), kDay + 30); }));
  for (const char* each :
       {"사례 7K3M-Q9TX-2A*", "단계: 이동 중, 2031년 5월 1일부터", "위험도: 높음", "나이: 9-17",
        "등록일: 2031년 4월", "서비스 예, 신원 저장 해당 없음", "서비스 (20건 중 4건)",
        "건강 확인: 기한 2031년 5월 1일"}) {
    EXPECT_TRUE(Has(korean, each)) << each << "\n" << korean;
  }
}

TEST(CaseCard, HasNoWordsThatSomebodyTyped) {
  EXPECT_FALSE(Has(TextOf(CaseCard(FullCase(), kDay)), "Pogi"));
  // Nor who works on it.
  EXPECT_FALSE(Has(TextOf(CaseCard(FullCase(), kDay)), "0123456789"));
}

TEST(CaseCard, OfACaseThatJustBeganSaysWhatThereIs) {
  CardFacts facts;
  facts.summary.set_code("7K3MQ9TX2A*");
  facts.summary.set_stage(content::v1::CASE_STAGE_CONTACT);
  const std::string text = TextOf(CaseCard(facts, kDay));
  EXPECT_TRUE(Has(text, "Stage: contact"));
  EXPECT_FALSE(Has(text, "Services"));
}

// What a referral tells of somebody.
client::SharedCase SharedFields() {
  client::SharedCase shared;
  shared.code = "7K3MQ9TX2A*";
  shared.transition.set_kind(content::v1::TRANSITION_KIND_REFERRAL);
  shared.transition.set_to_org("Invented Clinic");
  shared.transition.set_service(content::v1::SERVICE_TYPE_HEALTH_MEDICAL);
  shared.transition.set_expires_day(kDay + 14);
  shared.consent.set_given_day(kDay);
  Record profile;
  auto& of = *profile.mutable_identity_profile();
  of.add_names()->set_full("리보기");
  of.mutable_names(0)->set_source("her aunt's \x1b letter");
  of.set_occupation("fisher");
  of.set_marital_status("widowed");
  auto& why = *profile.add_unanswered();
  why.set_field("languages");
  why.set_why(content::v1::ANSWER_REFUSED);
  Record need;
  need.mutable_specific_need()->set_code(content::v1::NEED_CODE_SM);
  need.mutable_specific_need()->set_detail("asthma");
  Record other = need;
  other.mutable_specific_need()->set_detail("wheelchair");
  const auto add = [&](const char* path, std::vector<Record> records) {
    shared.parts.push_back({*client::FindSharedField(path), std::move(records)});
  };
  add("identity_profile.names", {profile});
  add("identity_profile.languages", {profile});
  add("need", {need, other});
  add("contact", {});
  return shared;
}

TEST(ReferralLetter, TellsTheFieldsThatWereChosenAndNoOthers) {
  client::SharedCase shared = SharedFields();
  const auto letter = ReferralLetter(shared, "Haneul Specimen", kDay + 1);
  const std::string text = TextOf(letter);
  for (const char* each :
       {"Referral\n", "To: Invented Clinic", "From: Haneul Specimen", "Date: 2031-05-02",
        "Our reference: 7K3M-Q9TX-2A*", "What we ask for: health medical",
        "Please answer by: 2031-05-15", "agreed on 2031-05-01", "names 1 full: 리보기",
        "names 1 source: her aunt's \\u{1b} letter", "languages: refused", "detail: asthma",
        "detail: wheelchair", "Ways to make contact: nothing is recorded", "[ ] yes [ ] no"}) {
    EXPECT_TRUE(Has(text, each)) << each << "\n" << text;
  }
  for (const char* none : {"fisher", "widowed", "occupation"})
    EXPECT_FALSE(Has(text, none)) << none;
  const auto pdf = print::MakePdf(letter);
  ASSERT_TRUE(pdf) << pdf.error().message();
  EXPECT_EQ(pdf->pages, 1u);

  shared.transition.set_kind(content::v1::TRANSITION_KIND_TRANSFER);
  EXPECT_TRUE(Has(TextOf(ReferralLetter(shared, "x", kDay)), "that you take this case over"));
}

TEST(ReferralLetter, SaysOfNobodyThatTheyAgreedWhoDidNot) {
  client::SharedCase shared = SharedFields();
  shared.consent.Clear();
  shared.overridden = true;
  const std::string text = TextOf(ReferralLetter(shared, "x", kDay));
  EXPECT_TRUE(Has(text, "without the person's agreement")) << text;
  EXPECT_FALSE(Has(text, "agreed on")) << text;
}

TEST(ReferralLetter, IsInTheLanguageOfWhoeverReadsIt) {
  for (const std::string& language : PaperLanguages()) {
    SCOPED_TRACE(language);
    for (const auto kind :
         {content::v1::TRANSITION_KIND_REFERRAL, content::v1::TRANSITION_KIND_TRANSFER}) {
      client::SharedCase shared = SharedFields();
      shared.transition.set_kind(kind);
      shared.overridden = kind == content::v1::TRANSITION_KIND_TRANSFER;
      const auto letter =
          In(language, [&] { return ReferralLetter(shared, "Haneul Specimen", kDay + 1); });
      const auto pdf = print::MakePdf(letter);
      ASSERT_TRUE(pdf) << pdf.error().message();
      EXPECT_LE(pdf->pages, 2u);
      const std::string text = TextOf(letter);
      EXPECT_TRUE(Has(text, DayLabel(kDay + 14, LanguageOf(language)))) << text;
      EXPECT_TRUE(Has(text, "리보기")) << text;
      // What was typed stays as it was typed.
      if (language == "en") continue;
      EXPECT_EQ(EnglishIn(text, {"7K3M-Q9TX-2A", "Invented Clinic", "Haneul Specimen",
                                 "her aunt's \\u{1b} letter", "asthma", "wheelchair"}),
                "")
          << text;
    }
  }
}

using Receiver = client::Withdrawal::Receiver;

// One that was shared, as it stands.
client::Withdrawal::Shared SharedWith(const std::string& whom, content::v1::TransitionState state,
                                      const std::vector<std::string>& fields,
                                      Receiver receiver = Receiver::kToBeTold) {
  client::Withdrawal::Shared shared;
  shared.transition.set_kind(content::v1::TRANSITION_KIND_REFERRAL);
  shared.transition.set_to_org(whom);
  shared.transition.set_service(content::v1::SERVICE_TYPE_HEALTH_MEDICAL);
  shared.transition.set_state(state);
  for (const std::string& field : fields) shared.transition.add_shared_fields(field);
  shared.receiver = receiver;
  return shared;
}

client::Withdrawal Withdrawn() {
  client::Withdrawal withdrawal{.code = "7K3MQ9TX2A*", .day = kDay, .shared = {}};
  withdrawal.shared = {
      SharedWith("Invented Clinic", content::v1::TRANSITION_STATE_ACCEPTED,
                 {"identity_profile.names", "need", "summary.age_band", "contact.handle"}),
      SharedWith("Madeup\x1b Aid", content::v1::TRANSITION_STATE_REJECTED, {"need.detail"},
                 Receiver::kNotAsked)};
  withdrawal.shared[1].transition.set_consent_overridden(true);
  return withdrawal;
}

// The values of a letter's fields of that label.
std::vector<std::string> ValuesOf(const print::Document& document, std::string_view label) {
  std::vector<std::string> values;
  for (const auto& block : document.blocks) {
    const auto* field = std::get_if<print::Field>(&block);
    if (field != nullptr && field->label == label) values.push_back(field->value);
  }
  return values;
}

TEST(WithdrawalLetter, ListsWhatWasSharedAndNothingElseInTheReadersLanguage) {
  const struct {
    std::string language;
    std::string title;
    std::string label;
    std::vector<std::string> shared;
  } rows[] = {
      {"en",
       "Your consent is withdrawn",
       "What was shared",
       {"Personal details: names, age band\nSpecific needs: all that is recorded\n"
        "Ways to make contact: handle",
        "Specific needs: detail"}},
      {"ko",
       "동의가 철회되었습니다",
       "공유된 것",
       {"신상 정보: 이름, 연령대\n특별 필요: 기록된 모든 것\n연락 방법: 번호나 계정",
        "특별 필요: 세부 내용"}},
      {"zh",
       "您的同意已撤回",
       "共享的内容",
       {"个人情况: 姓名, 年龄段\n特殊需求: 全部记录\n联系方式: 号码或账号", "特殊需求: 详情"}},
      {"th",
       "ความยินยอมของท่านถูกถอนแล้ว",
       "สิ่งที่เปิดเผย",
       {"ข้อมูลส่วนตัว: ชื่อ, ช่วงอายุ\nความต้องการเฉพาะ: ทั้งหมดที่บันทึกไว้\n"
        "ช่องทางติดต่อ: หมายเลขหรือบัญชีติดต่อ",
        "ความต้องการเฉพาะ: รายละเอียด"}},
  };
  ASSERT_EQ(std::size(rows), PaperLanguages().size());
  for (const auto& row : rows) {
    SCOPED_TRACE(row.language);
    const auto letter =
        In(row.language, [] { return WithdrawalLetter(Withdrawn(), "Haneul Specimen", kDay + 3); });
    EXPECT_EQ(letter.title, row.title);
    EXPECT_EQ(ValuesOf(letter, row.label), row.shared);
    const std::string text = TextOf(letter);
    std::string without;
    InLanguage(LanguageOf(row.language), {GODWIT_LOCALE},
               [&] { without = Translated("Without your consent"); });
    EXPECT_EQ(ValuesOf(letter, without).size(), 1u) << "of the two";
    // When it was withdrawn, and when this is written.
    for (const std::uint32_t day : {kDay, kDay + 3}) {
      EXPECT_TRUE(Has(text, DayLabel(day, LanguageOf(row.language)))) << text;
    }
    EXPECT_TRUE(Has(text, "1. Invented Clinic\n")) << text;
    EXPECT_TRUE(Has(text, "2. Madeup\\u{1b} Aid\n")) << text;
    const auto pdf = print::MakePdf(letter);
    ASSERT_TRUE(pdf) << pdf.error().message();
    EXPECT_EQ(pdf->pages, 1u);
    if (row.language == "en") continue;
    EXPECT_EQ(EnglishIn(text, {"7K3M-Q9TX-2A", "Invented Clinic", "Madeup\\u{1b} Aid",
                               "Haneul Specimen"}),
              "")
        << text;
  }
}

TEST(WithdrawalLetter, SaysHowEachStandsAndWhatItsReceiverIsAskedNow) {
  const char* to_be_told = "We tell them";
  const char* told = "We told them";
  const char* not_asked = "Nothing more";
  using namespace content::v1;  // NOLINT: names of states
  const struct {
    TransitionState state;
    bool transfer;
    bool expired;
    Receiver receiver;
    std::string stands;
    std::string asked;
  } rows[] = {
      {TRANSITION_STATE_IN_PROGRESS, false, false, Receiver::kToBeTold,
       "they have not answered yet", to_be_told},
      {TRANSITION_STATE_IN_PROGRESS, false, true, Receiver::kNotAsked,
       "they did not answer in time", not_asked},
      {TRANSITION_STATE_ACCEPTED, false, false, Receiver::kTold, "they agreed to help", told},
      {TRANSITION_STATE_ACCEPTED, true, false, Receiver::kToBeTold, "they took your case over",
       to_be_told},
      {TRANSITION_STATE_REJECTED, false, false, Receiver::kNotAsked, "they said no", not_asked},
      {TRANSITION_STATE_DONE, false, false, Receiver::kNotAsked, "they did what we asked for",
       not_asked},
      {TRANSITION_STATE_REVOKED, false, false, Receiver::kTold, "we took it back", told},
      // A newer client's.
      {static_cast<TransitionState>(77), false, false, Receiver::kNotAsked, "#77", not_asked},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.stands);
    auto shared = SharedWith("Invented Aid", row.state, {"need"}, row.receiver);
    if (row.transfer) shared.transition.set_kind(TRANSITION_KIND_TRANSFER);
    shared.expired = row.expired;
    const auto letter = WithdrawalLetter({"7K3MQ9TX2A*", kDay, {shared}}, "x", kDay);
    EXPECT_EQ(ValuesOf(letter, "How it stands"), std::vector<std::string>{row.stands});
    const auto asked = ValuesOf(letter, "What they are asked now");
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(asked[0].starts_with(row.asked)) << asked[0];
    EXPECT_EQ(ValuesOf(letter, "What we asked for"),
              std::vector<std::string>{row.transfer ? "that they take your case over"
                                                    : "health medical"});
  }
}

TEST(WithdrawalLetter, LeavesOutNoFieldOfANewerClient) {
  const auto letter = WithdrawalLetter(
      {"7K3MQ9TX2A*",
       kDay,
       {SharedWith("Invented Aid", content::v1::TRANSITION_STATE_DONE, {"later.\x1bkind"})}},
      "x", kDay);
  EXPECT_EQ(ValuesOf(letter, "What was shared"), std::vector<std::string>{"later.\\u{1b}kind"});
}

TEST(WithdrawalLetter, SaysSoWhereNothingWasShared) {
  const client::Withdrawal none{.code = "7K3MQ9TX2A*", .day = kDay, .shared = {}};
  for (const std::string& language : PaperLanguages()) {
    SCOPED_TRACE(language);
    const auto letter = In(language, [&] { return WithdrawalLetter(none, "123", kDay); });
    std::string nothing;
    InLanguage(LanguageOf(language), {GODWIT_LOCALE}, [&] {
      nothing = Translated(
          "Nothing: neither a referral to others nor a transfer of your case is on record.");
      EXPECT_TRUE(ValuesOf(letter, Translated("What was shared")).empty());
    });
    const std::string text = TextOf(letter);
    EXPECT_TRUE(Has(text, nothing)) << text;
    if (language == "en") continue;
    EXPECT_EQ(EnglishIn(text, {"7K3M-Q9TX-2A"}), "") << text;
  }
}

}  // namespace
}  // namespace godwit::cli
