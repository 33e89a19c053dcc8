#include "client/cli/consent_form.h"

#include <algorithm>
#include <array>

#include "client/cli/paper.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using content::v1::Answer;
using content::v1::Consent;

using Ask = Answer (Consent::*)() const;
constexpr std::array<Ask, 9> kPurposes{
    &Consent::services,        &Consent::store_identity, &Consent::share_partner,
    &Consent::share_authority, &Consent::share_unhcr,    &Consent::reporting_aggregate,
    &Consent::tracing,         &Consent::photo,          &Consent::publish};

// What the form says, in one language.
struct Words {
  std::string_view language;
  std::string_view name;  // of the language
  std::string_view title;
  std::string_view rights;
  std::array<std::string_view, kPurposes.size()> purposes;
  std::string_view yes;
  std::string_view no;
  std::string_view no_answer;
  std::string_view code;
  std::string_view organisation;
  std::string_view asked_by;
  std::string_view asked_in;
  std::string_view interpreter;
  std::string_view answered_by;
  std::array<std::string_view, 3> from;  // individual, caregiver, other
  std::string_view partner;
  std::string_view withheld;
  std::string_view answered_on;
  std::string_view valid_until;
  std::string_view withdrawn_on;
  std::array<std::string_view, 4> signatures;  // the person, a caregiver, who asked, an interpreter
};

constexpr std::array<Words, 4> kWords{{
    {"en",
     "English",
     "Consent",
     "Please read this form, or have it read to you, before you answer. You may say no to any "
     "question, and you will be helped all the same, as far as that can be done without it. You "
     "may "
     "take back at any time what you agree to here; from then on nothing more is shared.",
     {"May we work on your case and arrange services for you?",
      "May we store your name and who you are? It is encrypted, and read by those who work for "
      "you.",
      "May we tell a partner organisation what it needs to know to help you?",
      "May we tell authorities what they need to know to help you?",
      "May we tell UNHCR, the refugee agency of the United Nations, what it needs to know to help "
      "you?",
      "May we count you in reports on our work, without your name?",
      "May we look for members of your family from whom you were separated?",
      "May we keep a photograph of you?",
      "May we publish what you told us, as agreed with you each time?"},
     "yes",
     "no",
     "no answer",
     "Case",
     "Organisation",
     "Asked by",
     "Language",
     "Interpreter",
     "Answered by",
     {"the person", "a parent or caregiver", "somebody else"},
     "Which partner organisation",
     "Who must not be told",
     "Date of the answers",
     "Valid until",
     "Taken back on",
     {"The person (signature or mark), date", "A parent or caregiver, date", "Who asked, date",
      "Interpreter, date"}},
    {"ko",
     "한국어",
     "동의서",
     "답하기 전에 이 글을 직접 읽거나 누군가에게 읽어 달라고 하십시오. 어느 물음에든 ‘아니요’라고 "
     "답할 수 있으며, 그래도 할 수 있는 만큼 똑같이 도와드립니다. 여기서 동의한 것은 언제든지 "
     "철회할 수 있고, 그때부터는 아무것도 더 알리지 않습니다.",
     {"저희가 당신의 일을 맡아 필요한 지원을 마련해도 됩니까?",
      "당신의 이름과 신원을 보관해도 됩니까? 암호화되며, 당신을 돕는 사람들이 읽습니다.",
      "도움에 필요한 내용을 협력 단체에 알려도 됩니까?",
      "도움에 필요한 내용을 당국에 알려도 됩니까?",
      "도움에 필요한 내용을 유엔난민기구(UNHCR)에 알려도 됩니까?",
      "이름 없이, 저희 활동 보고서의 숫자에 당신을 넣어도 됩니까?",
      "헤어진 가족을 찾아보아도 됩니까?", "당신의 사진을 보관해도 됩니까?",
      "당신이 들려준 이야기를, 그때마다 당신과 합의하여 공개해도 됩니까?"},
     "예",
     "아니요",
     "답하지 않음",
     "사건 번호",
     "단체",
     "물은 사람",
     "언어",
     "통역",
     "답한 사람",
     {"본인", "부모나 보호자", "그 밖의 사람"},
     "어느 협력 단체",
     "알려서는 안 되는 사람",
     "답한 날짜",
     "유효 기한",
     "철회한 날짜",
     {"본인(서명 또는 표시), 날짜", "부모나 보호자, 날짜", "물은 사람, 날짜", "통역, 날짜"}},
    {"zh",
     "中文",
     "同意书",
     "回答之前，请先阅读本表，或请人读给您听。任何一项您都可以回答“否”，我们仍会尽可能同样帮助您。"
     "您在这里同意的事项可以随时撤回；撤回之后，我们不再告知任何人。",
     {"我们可以处理您的个案并为您安排服务吗？",
      "我们可以保存您的姓名和身份吗？内容会加密，由为您工作的人阅读。",
      "我们可以把帮助您所需的内容告诉合作机构吗？", "我们可以把帮助您所需的内容告诉有关当局吗？",
      "我们可以把帮助您所需的内容告诉联合国难民署（UNHCR）吗？",
      "我们可以在工作报告中把您计入人数（不写姓名）吗？", "我们可以寻找与您失散的家人吗？",
      "我们可以保存您的照片吗？", "我们可以在每次征得您同意后公开您讲述的内容吗？"},
     "是",
     "否",
     "未回答",
     "个案编号",
     "机构",
     "询问人",
     "语言",
     "翻译",
     "回答人",
     {"本人", "父母或监护人", "其他人"},
     "哪个合作机构",
     "不得告知的人",
     "回答日期",
     "有效期至",
     "撤回日期",
     {"本人（签名或画押），日期", "父母或监护人，日期", "询问人，日期", "翻译，日期"}},
    {"th",
     "ไทย",
     "หนังสือแสดงความยินยอม",
     "โปรดอ่านแบบฟอร์มนี้ หรือให้ผู้อื่นอ่านให้ฟัง ก่อนตอบ ท่านจะตอบว่าไม่ได้ในข้อใดก็ได้ "
     "และเราจะยังช่วยท่านเท่าที่ทำได้ ท่านถอนความยินยอมที่ให้ไว้ที่นี่ได้ทุกเมื่อ "
     "และนับจากนั้นเราจะไม่แจ้งสิ่งใดแก่ผู้ใดอีก",
     {"เราดำเนินเรื่องของท่านและจัดหาบริการให้ท่านได้หรือไม่",
      "เราเก็บชื่อและข้อมูลประจำตัวของท่านได้หรือไม่ ข้อมูลจะถูกเข้ารหัส และผู้ที่ทำงานให้ท่านเป็นผู้อ่าน",
      "เราแจ้งข้อมูลที่จำเป็นต่อการช่วยเหลือท่านแก่องค์กรพันธมิตรได้หรือไม่",
      "เราแจ้งข้อมูลที่จำเป็นต่อการช่วยเหลือท่านแก่เจ้าหน้าที่ของรัฐได้หรือไม่",
      "เราแจ้งข้อมูลที่จำเป็นต่อการช่วยเหลือท่านแก่สำนักงานข้าหลวงใหญ่ผู้ลี้ภัยแห่งสหประชาชาติ (UNHCR) "
      "ได้หรือไม่",
      "เรานับท่านรวมในรายงานการทำงานของเราโดยไม่ระบุชื่อได้หรือไม่",
      "เราตามหาสมาชิกครอบครัวที่พลัดพรากจากท่านได้หรือไม่", "เราเก็บภาพถ่ายของท่านได้หรือไม่",
      "เราเผยแพร่สิ่งที่ท่านเล่า โดยตกลงกับท่านทุกครั้ง ได้หรือไม่"},
     "ได้",
     "ไม่ได้",
     "ไม่ตอบ",
     "รหัสกรณี",
     "องค์กร",
     "ผู้ถาม",
     "ภาษา",
     "ล่าม",
     "ผู้ตอบ",
     {"เจ้าตัว", "บิดามารดาหรือผู้ดูแล", "ผู้อื่น"},
     "องค์กรพันธมิตรใด",
     "ผู้ที่ต้องไม่ให้รู้",
     "วันที่ตอบ",
     "ใช้ได้ถึง",
     "วันที่ถอนความยินยอม",
     {"เจ้าตัว (ลงชื่อหรือพิมพ์ลายนิ้วมือ) วันที่", "บิดามารดาหรือผู้ดูแล วันที่", "ผู้ถาม วันที่", "ล่าม วันที่"}},
}};

}  // namespace

base::Result<print::Document> ConsentForm(std::string_view language, const FilledConsent* filled) {
  const auto chosen = PaperLanguage(language);
  if (!chosen) return chosen.error();
  // Every language of papers has its words.
  const Words& words = *std::ranges::find(kWords, *chosen, &Words::language);
  const std::string calendar = LanguageOf(words.language);
  const Consent consent = filled != nullptr ? filled->consent : Consent();
  print::Document form{.title = std::string(words.title),
                       .language = std::string(words.language),
                       .footer = filled != nullptr ? CodeText(filled->code) : std::string()};
  const auto field = [&](std::string_view label, std::string value) {
    form.blocks.emplace_back(print::Field{std::string(label), std::move(value)});
  };
  // Left out where a filled form has nothing to say there.
  const auto field_if = [&](std::string_view label, const std::string& value) {
    if (filled == nullptr || !value.empty()) field(label, value);
  };
  form.blocks.emplace_back(print::Paragraph{std::string(words.rights)});
  field(words.code, filled != nullptr ? CodeText(filled->code) : std::string());
  field(words.organisation, {});
  field(words.asked_by, filled != nullptr ? Typed(filled->asked_by) : std::string());
  field(words.asked_in, filled != nullptr ? Typed(consent.language()) : std::string(words.name));
  field_if(words.interpreter, Typed(consent.interpreter()));
  const auto choice = [&](std::string_view question) -> print::Choice& {
    return std::get<print::Choice>(
        form.blocks.emplace_back(print::Choice{std::string(question), {}}));
  };
  auto& who = choice(words.answered_by);
  for (std::size_t i = 0; i < words.from.size(); ++i) {
    // In the order of ConsentFrom.
    who.options.push_back(
        {std::string(words.from[i]), static_cast<std::size_t>(consent.from()) == i + 1});
  }
  for (std::size_t i = 0; i < kPurposes.size(); ++i) {
    const Answer answer = (consent.*kPurposes[i])();
    const bool answered = answer == content::v1::ANSWER_YES || answer == content::v1::ANSWER_NO;
    choice(words.purposes[i]).options = {
        {std::string(words.yes), answer == content::v1::ANSWER_YES},
        {std::string(words.no), answer == content::v1::ANSWER_NO},
        {std::string(words.no_answer), filled != nullptr && !answered}};
    if (kPurposes[i] == static_cast<Ask>(&Consent::share_partner)) {
      field_if(words.partner, Typed(consent.share_partner_org()));
    }
  }
  field_if(words.withheld, Typed(consent.withheld_from()));
  field(words.answered_on, DayLabel(consent.given_day(), calendar));
  field_if(words.valid_until, DayLabel(consent.expires_day(), calendar));
  if (consent.withdrawn_day() != 0)
    field(words.withdrawn_on, DayLabel(consent.withdrawn_day(), calendar));
  print::Signatures signatures;
  for (const auto label : words.signatures) signatures.labels.emplace_back(label);
  form.blocks.emplace_back(std::move(signatures));
  return form;
}

}  // namespace godwit::cli
