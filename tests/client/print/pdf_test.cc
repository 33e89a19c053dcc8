#include "client/print/pdf.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/client/temporary.h"

namespace godwit::print {
namespace {

class Print : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }

  // The document's file, which must be made.
  std::string Made(const Document& document) {
    const auto pdf = MakePdf(document);
    EXPECT_TRUE(pdf) << (pdf ? "" : pdf.error().message());
    if (!pdf) return {};
    pages_ = pdf->pages;
    std::ofstream(path("made.pdf"), std::ios::binary) << pdf->bytes;
    return pdf->bytes;
  }

  // What a program of poppler-utils says about the file that was made last.
  std::string Told(const std::string& call, const std::string& more = "") const {
    std::string text;
    FILE* pipe = popen((call + " '" + path("made.pdf") + "'" + more).c_str(), "r");
    if (pipe == nullptr) return text;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) text.push_back(static_cast<char>(c));
    pclose(pipe);
    return text;
  }
  // Its text without spaces: where words end in Thai, a reader of the file guesses.
  std::string Text() const { return Squeezed(Told("pdftotext", " -")); }
  static std::string Squeezed(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
    return text;
  }

  support::TemporaryDir dir_;
  std::size_t pages_ = 0;
};

Document FourScripts() {
  return {.title = "Four scripts",
          .language = "en",
          .footer = "at the foot",
          .blocks = {Heading{"By hand"}, Field{"이름", "리보기"}, Field{"姓名", "李样本"},
                     Field{"ชื่อ", "ตัวอย่าง"}, Field{"Signed on", ""},
                     Choice{"May we?", {{"yes", true}, {"no", false}}},
                     Paragraph{"Ri Pogi, Ŏ, ě, đ"}, Signatures{{"person", "caseworker"}}}};
}

TEST_F(Print, FourScriptsAreReadBackAsTheyWereWritten) {
  Made(FourScripts());
  EXPECT_EQ(pages_, 1u);
  const std::string text = Text();
  for (const char* each :
       {"Four scripts", "By hand", "이름", "리보기", "姓名", "李样本", "ชื่อ", "ตัวอย่าง", "Signed on",
        "May we?", "Ri Pogi, Ŏ, ě, đ", "caseworker", "at the foot", "1 / 1"}) {
    EXPECT_NE(text.find(Squeezed(each)), std::string::npos) << each << "\n" << text;
  }
  // Of the two boxes one is crossed out, and whoever cannot see it can read it.
  EXPECT_EQ(text.find("X"), text.rfind("X"));
  EXPECT_NE(text.find("X"), std::string::npos) << text;
}

TEST_F(Print, AFileTellsNothingOfWhoMadeItWhereAndWhen) {
  Made(FourScripts());
  const std::string told = Told("pdfinfo");
  EXPECT_NE(told.find("Pages:"), std::string::npos) << told;
  for (const char* none : {"Author:", "Creator:", "CreationDate:", "ModDate:", "Title:"}) {
    EXPECT_EQ(told.find(none), std::string::npos) << told;
  }
}

TEST_F(Print, OneDocumentIsAlwaysTheSameBytes) {
  const std::string first = Made(FourScripts());
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(Made(FourScripts()), first);
  Document other = FourScripts();
  other.footer = "elsewhere";
  EXPECT_NE(Made(other), first);
}

TEST_F(Print, WhatIsLongGoesOnOverPagesAndNoneIsLost) {
  Document document{.title = "Long", .blocks = {}};
  std::string lines;
  for (int i = 0; i < 150; ++i) lines += "line " + std::to_string(i) + " of one text\n";
  document.blocks.push_back(Field{"label", lines});
  for (int i = 0; i < 40; ++i) document.blocks.push_back(Field{"by hand " + std::to_string(i), ""});
  document.blocks.push_back(Signatures{{"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"}});
  Made(document);
  EXPECT_GT(pages_, 3u);
  const std::string text = Text();
  for (int i = 0; i < 150; ++i) {
    EXPECT_NE(text.find(Squeezed("line " + std::to_string(i) + " of one text")), std::string::npos)
        << i;
  }
  EXPECT_NE(text.find("a9"), std::string::npos);
  for (std::size_t page = 1; page <= pages_; ++page) {
    EXPECT_NE(text.find(std::to_string(page) + "/" + std::to_string(pages_)), std::string::npos);
  }
}

TEST_F(Print, WhatIsNoUtf8IsRefused) {
  Document document = FourScripts();
  document.blocks.push_back(Paragraph{"\xff"});
  const auto pdf = MakePdf(document);
  ASSERT_FALSE(pdf);
  EXPECT_EQ(pdf.error().code(), base::Code::kInvalidArgument);
}

// Prints a text with the fonts of one folder alone, and says what is wrong with that. In a process
// of its own, since the library looks for fonts once.
[[noreturn]] void PrintWith(const std::string& folder, const std::string& text) {
  support::TemporaryDir dir;
  const std::string config = (dir.path() / "fonts.conf").string();
  std::ofstream(config) << "<?xml version=\"1.0\"?><fontconfig><dir>" << folder
                        << "</dir><cachedir>" << dir.path().string() << "</cachedir></fontconfig>";
  setenv("FONTCONFIG_FILE", config.c_str(), 1);
  const auto pdf = MakePdf({.title = "x", .blocks = {Paragraph{text}}});
  std::cerr << (pdf ? "printed" : pdf.error().message());
  std::exit(pdf ? 0 : pdf.error().code() == base::Code::kNotFound ? 1 : 2);
}

TEST(PrintDeathTest, AMissingFontIsNamedByThePackageThatHasIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string latin = "/usr/share/fonts/truetype/dejavu";
  const auto ends = [](int code) { return testing::ExitedWithCode(code); };
  EXPECT_EXIT(PrintWith(latin, "Latin"), ends(0), "printed");
  EXPECT_EXIT(PrintWith(latin, "Ri 리보기"), ends(1), "Korean.*fonts-wqy-microhei");
  EXPECT_EXIT(PrintWith(latin, "李"), ends(1), "Chinese.*fonts-wqy-microhei");
  EXPECT_EXIT(PrintWith(latin, "ตัวอย่าง"), ends(1), "Thai.*fonts-tlwg-loma-ttf");
  EXPECT_EXIT(PrintWith("/usr/share/fonts/truetype/tlwg", "ตัวอย่าง"), ends(0), "printed");
  EXPECT_EXIT(PrintWith("/nowhere", "Latin"), ends(1), "fonts-dejavu-core");
}

}  // namespace
}  // namespace godwit::print
