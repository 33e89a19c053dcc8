#include "client/print/pdf.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/c_handle.h"

namespace godwit::print {
namespace {

using base::Code;
using base::Error;
using base::Status;

// In points, of which an inch has 72.
constexpr double kPageWidth = 595.28;
constexpr double kPageHeight = 841.89;
constexpr double kMargin = 56;
constexpr double kFooterHeight = 24;
constexpr double kTextWidth = kPageWidth - 2 * kMargin;
constexpr double kBottom = kPageHeight - kMargin - kFooterHeight;
constexpr double kLabelWidth = 150;
constexpr double kGap = 5;
constexpr double kFieldGap = 3;
constexpr double kBox = 10;
constexpr double kSignatureHeight = 62;

constexpr double kTitleSize = 16;
constexpr double kHeadingSize = 12;
constexpr double kTextSize = 10;
constexpr double kSmallSize = 8;

using Surface = base::CHandle<cairo_surface_t, cairo_surface_destroy>;
using Cairo = base::CHandle<cairo_t, cairo_destroy>;
using Layout = base::CHandle<PangoLayout, g_object_unref>;
using Font = base::CHandle<PangoFontDescription, pango_font_description_free>;
using Lines = base::CHandle<PangoLayoutIter, pango_layout_iter_free>;

double Points(int pango_units) { return static_cast<double>(pango_units) / PANGO_SCALE; }

double HeightOf(const Layout& layout) {
  int height = 0;
  pango_layout_get_size(layout.get(), nullptr, &height);
  return Points(height);
}

double WidthOf(const Layout& layout) {
  int width = 0;
  pango_layout_get_size(layout.get(), &width, nullptr);
  return Points(width);
}

// Which package has letters like this one.
Error NoFontFor(gunichar letter) {
  switch (g_unichar_get_script(letter)) {
    case G_UNICODE_SCRIPT_HANGUL:
      return Error(Code::kNotFound,
                   "no font of this machine has Korean letters: install the Debian package "
                   "fonts-wqy-microhei, or fonts-nanum");
    case G_UNICODE_SCRIPT_HAN:
      return Error(Code::kNotFound,
                   "no font of this machine has Chinese characters: install the Debian package "
                   "fonts-wqy-microhei");
    case G_UNICODE_SCRIPT_THAI:
      return Error(Code::kNotFound,
                   "no font of this machine has Thai letters: install the Debian package "
                   "fonts-tlwg-loma-ttf");
    case G_UNICODE_SCRIPT_COMMON:
    case G_UNICODE_SCRIPT_CYRILLIC:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_LATIN:
      return Error(Code::kNotFound,
                   "no font of this machine has these letters: install the Debian package "
                   "fonts-dejavu-core");
    default:
      return Error(Code::kNotFound,
                   "no font of this machine has a letter of the text: install the Debian package "
                   "fonts-noto-core");
  }
}

// Draws a document from top to bottom, page after page. The first thing that goes wrong ends it:
// what follows draws nothing, and Finish says what it was.
class Painter {
 public:
  // `pages`: how many there will be, for their numbers; 0: not known yet.
  Painter(const Document& document, std::size_t pages) : document_(document), pages_(pages) {
    surface_.reset(
        cairo_pdf_surface_create_for_stream(&Painter::Append, &bytes_, kPageWidth, kPageHeight));
    // No time of making; what is not set, the library leaves out.
    cairo_pdf_surface_set_metadata(surface_.get(), CAIRO_PDF_METADATA_CREATE_DATE, "");
    cairo_.reset(cairo_create(surface_.get()));
    cairo_set_line_width(cairo_.get(), 0.6);
  }

  base::Result<Pdf> Draw() {
    AddHeading(document_.title, kTitleSize);
    for (const Block& block : document_.blocks) {
      std::visit([this](const auto& part) { Add(part); }, block);
    }
    EndPage();
    if (!failed_) return Finish();
    return *failed_;
  }

 private:
  static cairo_status_t Append(void* to, const unsigned char* from, unsigned int size) {
    static_cast<std::string*>(to)->append(from, from + size);
    return CAIRO_STATUS_SUCCESS;
  }

  base::Result<Pdf> Finish() {
    cairo_.reset();
    cairo_surface_finish(surface_.get());
    if (cairo_surface_status(surface_.get()) != CAIRO_STATUS_SUCCESS) {
      return Error(Code::kInternal, "the PDF library failed");
    }
    return Pdf{std::move(bytes_), page_};
  }

  // A text in lines of at most `width`.
  Layout Text(std::string_view text, double size, double width, bool bold = false) {
    Layout layout(pango_cairo_create_layout(cairo_.get()));
    PangoContext* context = pango_layout_get_context(layout.get());
    pango_context_set_language(context, pango_language_from_string(document_.language.c_str()));
    const Font font(pango_font_description_from_string("Sans"));
    pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
    if (bold) pango_font_description_set_weight(font.get(), PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(layout.get(), font.get());
    pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
    Set(layout, text);
    return layout;
  }

  void Set(const Layout& layout, std::string_view text) {
    if (failed_) return;
    const auto length = static_cast<int>(text.size());
    if (g_utf8_validate(text.data(), length, nullptr) == 0) {
      failed_ = Error(Code::kInvalidArgument, "what is to be printed is no UTF-8");
      return;
    }
    pango_layout_set_text(layout.get(), text.data(), length);
    if (pango_layout_get_unknown_glyphs_count(layout.get()) == 0) return;
    // Which of the letters it is, one by one.
    const Layout one(pango_layout_copy(layout.get()));
    const char* const end = text.data() + length;
    for (const char* at = text.data(); at < end; at = g_utf8_next_char(at)) {
      pango_layout_set_text(one.get(), at, static_cast<int>(g_utf8_next_char(at) - at));
      if (pango_layout_get_unknown_glyphs_count(one.get()) == 0) continue;
      failed_.emplace(NoFontFor(g_utf8_get_char(at)));
      return;
    }
    failed_.emplace(NoFontFor('?'));
  }

  // Begins another page unless `height` fits on this one.
  void Ensure(double height) {
    if (y_ + height > kBottom && y_ > kMargin) EndPage();
  }

  void EndPage() {
    ++page_;
    std::string number = std::to_string(page_);
    if (pages_ > 0) number += " / " + std::to_string(pages_);
    const double top = kPageHeight - kMargin - kSmallSize;
    Show(Text(document_.footer, kSmallSize, kTextWidth), kMargin, top);
    const Layout right = Text(number, kSmallSize, kTextWidth);
    Show(right, kPageWidth - kMargin - WidthOf(right), top);
    if (!failed_) cairo_show_page(cairo_.get());
    y_ = kMargin;
  }

  void Show(const Layout& layout, double x, double y) {
    if (failed_) return;
    cairo_move_to(cairo_.get(), x, y);
    pango_cairo_show_layout(cairo_.get(), layout.get());
  }

  // Draws a text line by line, over as many pages as it takes.
  void Flow(const Layout& layout, double x) {
    const Lines lines(pango_layout_get_iter(layout.get()));
    do {
      PangoRectangle box;
      pango_layout_iter_get_line_extents(lines.get(), nullptr, &box);
      const double height = Points(box.height);
      Ensure(height);
      if (!failed_) {
        const double baseline = Points(pango_layout_iter_get_baseline(lines.get()) - box.y);
        cairo_move_to(cairo_.get(), x + Points(box.x), y_ + baseline);
        pango_cairo_show_layout_line(cairo_.get(),
                                     pango_layout_iter_get_line_readonly(lines.get()));
      }
      y_ += height;
    } while (!failed_ && pango_layout_iter_next_line(lines.get()) != 0);
  }

  void Line(double x, double y, double width) {
    cairo_move_to(cairo_.get(), x, y);
    cairo_line_to(cairo_.get(), x + width, y);
    cairo_stroke(cairo_.get());
  }

  void Rectangle(double x, double y, double width, double height) {
    cairo_rectangle(cairo_.get(), x, y, width, height);
    cairo_stroke(cairo_.get());
  }

  void AddHeading(std::string_view heading, double size) {
    const Layout text = Text(heading, size, kTextWidth, true);
    // Not alone at the foot of a page.
    Ensure(2 * kGap + HeightOf(text) + 3 * kTextSize);
    if (y_ > kMargin) y_ += 2 * kGap;
    Flow(text, kMargin);
    y_ += kGap;
  }

  void Add(const Heading& heading) { AddHeading(heading.text, kHeadingSize); }

  void Add(const Paragraph& paragraph) {
    Flow(Text(paragraph.text, kTextSize, kTextWidth), kMargin);
    y_ += kGap;
  }

  void Add(const Field& field) {
    const Layout label = Text(field.label, kTextSize, kLabelWidth - kGap, true);
    const double width = kTextWidth - kLabelWidth;
    if (field.value.empty()) {
      const double height = std::max(HeightOf(label), 2 * kTextSize);
      Ensure(height);
      Show(label, kMargin, y_ + height - HeightOf(label));
      Line(kMargin + kLabelWidth, y_ + height, width);
      y_ += height + kFieldGap;
      return;
    }
    Ensure(HeightOf(label));
    const double top = y_;
    const std::size_t page = page_;
    Show(label, kMargin, top);
    Flow(Text(field.value, kTextSize, width), kMargin + kLabelWidth);
    if (page == page_) y_ = std::max(y_, top + HeightOf(label));
    y_ += kFieldGap;
  }

  void Add(const Choice& choice) {
    const Layout question = Text(choice.question, kTextSize, kTextWidth);
    Ensure(HeightOf(question) + 3 * kBox);
    Flow(question, kMargin);
    y_ += kGap / 2;
    double x = kMargin + 2 * kGap;
    double height = kBox;
    for (const auto& option : choice.options) {
      const Layout label = Text(option.label, kTextSize, kTextWidth, option.ticked);
      const double width = kBox + kGap + WidthOf(label) + 4 * kGap;
      if (x + width > kPageWidth - kMargin && x > kMargin + 2 * kGap) {
        x = kMargin + 2 * kGap;
        y_ += height + kGap;
        Ensure(height);
      }
      height = std::max(height, HeightOf(label));
      const double top = y_ + (height - kBox) / 2;
      Rectangle(x, top, kBox, kBox);
      if (option.ticked) {
        // A letter and no drawing, so that who has the page read out hears it.
        const Layout cross = Text("X", kBox, kTextWidth, true);
        Show(cross, x + (kBox - WidthOf(cross)) / 2, top + (kBox - HeightOf(cross)) / 2);
      }
      Show(label, x + kBox + kGap, y_);
      x += width;
    }
    y_ += height + 2 * kGap;
  }

  void Add(const Signatures& signatures) {
    constexpr double kWidth = (kTextWidth - 2 * kGap) / 2;
    y_ += kGap;
    for (std::size_t i = 0; i < signatures.labels.size(); ++i) {
      const bool left = i % 2 == 0;
      if (left) Ensure(kSignatureHeight + 2 * kGap);
      const double x = left ? kMargin : kMargin + kWidth + 2 * kGap;
      Rectangle(x, y_, kWidth, kSignatureHeight);
      Show(Text(signatures.labels[i], kSmallSize, kWidth - 2 * kGap), x + kGap, y_ + kGap / 2);
      if (!left || i + 1 == signatures.labels.size()) y_ += kSignatureHeight + 2 * kGap;
    }
  }

  const Document& document_;
  const std::size_t pages_;
  std::string bytes_;
  Surface surface_;
  Cairo cairo_;
  std::optional<Error> failed_;
  double y_ = kMargin;
  std::size_t page_ = 0;
};

}  // namespace

base::Result<Pdf> MakePdf(const Document& document) {
  int families = 0;
  PangoFontFamily** list = nullptr;
  pango_font_map_list_families(pango_cairo_font_map_get_default(), &list, &families);
  g_free(static_cast<void*>(list));
  if (families == 0) return NoFontFor('?');
  // Once to count the pages, and once with their number on each.
  const auto counted = Painter(document, 0).Draw();
  if (!counted) return counted.error();
  return Painter(document, counted->pages).Draw();
}

}  // namespace godwit::print
