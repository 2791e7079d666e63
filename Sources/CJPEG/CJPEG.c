#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// A progressive file may repeat scans without end at a few bytes each, and each costs a pass over the whole image.
enum { MAX_SCANS = 500 };

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  char *message;
  int outcome;
  // The file has ended, and libjpeg has made up an end marker.
  int ended;
  // Several scans make up the picture: all are read before the first row comes out.
  int has_scans;
} failing_manager;

static void escape(failing_manager *manager, int outcome) {
  manager->outcome = outcome;
  longjmp(manager->escape, 1);
}

static void fail(j_common_ptr info) {
  failing_manager *manager = (failing_manager *)info->err;
  int code = manager->base.msg_code;
  if (code == JERR_BAD_PRECISION) {
    snprintf(manager->message, CJPEG_MESSAGE_SIZE, "%d bits a channel: 8 are known", manager->base.msg_parm.i[0]);
    escape(manager, CJPEG_UNKNOWN_KIND);
  }
  char text[JMSG_LENGTH_MAX];
  manager->base.format_message(info, text);
  snprintf(manager->message, CJPEG_MESSAGE_SIZE, "%s%s", manager->ended ? "cut short: " : "", text);
  escape(manager, code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL ? CJPEG_UNKNOWN_KIND : CJPEG_DAMAGED);
}

// Pixels are missing or wrong. The message says which: libjpeg would go on and fill them with grey.
static void lose(j_decompress_ptr info, failing_manager *manager) {
  char text[JMSG_LENGTH_MAX];
  manager->base.format_message((j_common_ptr)info, text);
  unsigned height = info->image_height, row = info->input_iMCU_row * (unsigned)info->max_v_samp_factor * DCTSIZE;
  if (row >= height) row = height - 1;
  if (manager->has_scans && manager->ended)
    snprintf(manager->message, CJPEG_MESSAGE_SIZE, "cut short in scan %d, at row %u of %u: all after it is missing",
             info->input_scan_number, row, height);
  else if (manager->has_scans)
    snprintf(manager->message, CJPEG_MESSAGE_SIZE, "in scan %d, from row %u of %u on: %s", info->input_scan_number, row, height, text);
  else if (manager->ended)
    snprintf(manager->message, CJPEG_MESSAGE_SIZE, "cut short: the last %u of %u rows are missing", height - row, height);
  else
    snprintf(manager->message, CJPEG_MESSAGE_SIZE, "from row %u of %u on: %s", row, height, text);
  escape(manager, CJPEG_DAMAGED);
}

// Level -1 is a warning. Warnings that cost no pixel are passed over: cameras, phones and scanners write such files,
// and other programs show them. They are odd header fields, bytes between two markers, where no data is expected, and a
// file that ends without an end marker. If data is missing before that end, decoding it gives another warning.
static void emit(j_common_ptr common, int level) {
  if (level >= 0) return;
  failing_manager *manager = (failing_manager *)common->err;
  if (!common->is_decompressor) fail(common);
  j_decompress_ptr info = (j_decompress_ptr)common;
  switch (manager->base.msg_code) {
  case JWRN_NOT_SEQUENTIAL:
  case JWRN_ADOBE_XFORM:
  case JWRN_JFIF_MAJOR:
  case JWRN_EXTRANEOUS_DATA: return;
  case JWRN_JPEG_EOF:
    manager->ended = 1;
    // Arithmetic decoding takes what is missing for zeros, and gives no other warning.
    if (!info->arith_code) return;
    break;
  case JWRN_BOGUS_PROGRESSION:
    // Details in front of what they refine: an odd order, in which nothing is missing.
    if (info->Ss != 0 && manager->base.msg_parm.i[1] == 0) return;
    break;
  default: break;
  }
  lose(info, manager);
}

static void silent(j_common_ptr info) { (void)info; }

static void watch_scans(j_common_ptr info) {
  if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > MAX_SCANS) {
    failing_manager *manager = (failing_manager *)info->err;
    snprintf(manager->message, CJPEG_MESSAGE_SIZE, "more than %d scans", MAX_SCANS);
    escape(manager, CJPEG_DAMAGED);
  }
}

static struct jpeg_error_mgr *prepare(failing_manager *manager, char *message) {
  jpeg_std_error(&manager->base);
  manager->base.error_exit = fail;
  manager->base.emit_message = emit;
  manager->base.output_message = silent;
  manager->message = message;
  manager->ended = manager->has_scans = 0;
  message[0] = 0;
  return &manager->base;
}

int cjpeg_read_header(const uint8_t *data, size_t size, cjpeg_header *header, char message[CJPEG_MESSAGE_SIZE]) {
  struct jpeg_decompress_struct info;
  failing_manager manager;
  memset(&info, 0, sizeof info);
  info.err = prepare(&manager, message);
  if (setjmp(manager.escape)) {
    jpeg_destroy_decompress(&info);
    return manager.outcome;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, data, size);
  jpeg_read_header(&info, TRUE);
  // Version 3 of the library reads headers of 12 and 16 bits, version 2 fails in the call above.
  if (info.data_precision != 8) ERREXIT1(&info, JERR_BAD_PRECISION, info.data_precision);
  header->width = (int32_t)info.image_width;
  header->height = (int32_t)info.image_height;
  header->components = info.num_components;
  header->progressive = info.progressive_mode ? 1 : 0;
  header->arithmetic = info.arith_code ? 1 : 0;
  jpeg_destroy_decompress(&info);
  return 0;
}

// Chroma of half the size is interpolated from its neighbours, and at the edge of the decoded part a neighbour is
// missing. So some more pixels are decoded on either side: two blocks of the coarsest component.
static JDIMENSION margin(int samples) { return 2 * DCTSIZE * (JDIMENSION)samples; }

// Has the rows of columns left to right made, or a little more. Returns the column that they then begin at.
static JDIMENSION crop_columns(struct jpeg_decompress_struct *info, JDIMENSION left, JDIMENSION right) {
  JDIMENSION more = margin(info->max_h_samp_factor), first = left > more ? left - more : 0;
  JDIMENSION last = right + more < info->output_width ? right + more : info->output_width, width = last - first;
  if (width == info->output_width) return 0;
  jpeg_crop_scanline(info, &first, &width);
  return first;
}

// For a picture in several scans, after all were read: whether each component has had its own, and, where the file ends
// too early, whether each coefficient has had its last bit.
static void check_scans(struct jpeg_decompress_struct *info, failing_manager *manager) {
  for (int c = 0; c < info->num_components; c++) {
    if (info->comp_info[c].quant_table == NULL) {
      snprintf(manager->message, CJPEG_MESSAGE_SIZE, "%scomponent %d of %d is missing", manager->ended ? "cut short: " : "", c + 1,
               info->num_components);
      escape(manager, CJPEG_DAMAGED);
    }
    if (!manager->ended || info->coef_bits == NULL) continue;
    for (int k = 0; k < DCTSIZE2; k++) {
      if (info->coef_bits[c][k] == 0) continue;
      snprintf(manager->message, CJPEG_MESSAGE_SIZE, "cut short after scan %d: detail of all %u rows is missing",
               info->input_scan_number, info->image_height);
      escape(manager, CJPEG_DAMAGED);
    }
  }
}

int cjpeg_decode(const uint8_t *data, size_t size, int32_t channels, const cjpeg_box *part, uint8_t *out, size_t out_size,
                 char message[CJPEG_MESSAGE_SIZE]) {
  struct jpeg_decompress_struct info;
  struct jpeg_progress_mgr progress;
  failing_manager manager;
  memset(&info, 0, sizeof info);
  info.err = prepare(&manager, message);
  if (setjmp(manager.escape)) {
    jpeg_destroy_decompress(&info);
    return manager.outcome;
  }
  jpeg_create_decompress(&info);
  memset(&progress, 0, sizeof progress);
  progress.progress_monitor = watch_scans;
  info.progress = &progress;
  jpeg_mem_src(&info, data, size);
  jpeg_read_header(&info, TRUE);
  info.out_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  manager.has_scans = jpeg_has_multiple_scans(&info);
  jpeg_start_decompress(&info);
  if (manager.has_scans) check_scans(&info, &manager);
  size_t stride = (size_t)info.output_width * (size_t)channels;
  if (info.output_components != channels || stride * info.output_height != out_size) {
    snprintf(message, CJPEG_MESSAGE_SIZE, "%u x %u x %d does not fill %zu bytes", info.output_height, info.output_width,
             info.output_components, out_size);
    jpeg_destroy_decompress(&info);
    return CJPEG_DAMAGED;
  }
  JDIMENSION end = info.output_height;
  if (part) {
    JDIMENSION top = (JDIMENSION)part->top, more = margin(info.max_v_samp_factor);
    out += (size_t)channels * crop_columns(&info, (JDIMENSION)part->left, (JDIMENSION)(part->left + part->width));
    if (top > more) jpeg_skip_scanlines(&info, top - more);
    end = top + (JDIMENSION)part->height;
  }
  while (info.output_scanline < end) {
    // As many rows as the decoder has at hand (at most 16 here), which saves a call per row.
    JSAMPROW rows[16];
    JDIMENSION wanted = end - info.output_scanline;
    if (wanted > 16) wanted = 16;
    for (JDIMENSION i = 0; i < wanted; i++) rows[i] = out + stride * (info.output_scanline + i);
    jpeg_read_scanlines(&info, rows, wanted);
  }
  // All pixels are there. What follows them, to the end marker or in place of it, costs none, and is not read.
  jpeg_destroy_decompress(&info);
  return 0;
}

// Writes into memory that is there and does not grow.
typedef struct {
  struct jpeg_destination_mgr base;
  uint8_t *out;
  size_t capacity;
} memory_destination;

static void start_output(j_compress_ptr info) {
  memory_destination *destination = (memory_destination *)info->dest;
  destination->base.next_output_byte = destination->out;
  destination->base.free_in_buffer = destination->capacity;
}

static boolean outgrown(j_compress_ptr info) {
  ERREXIT(info, JERR_BUFFER_SIZE);
  return FALSE;
}

static void end_output(j_compress_ptr info) { (void)info; }

size_t cjpeg_encoded_bound(int32_t height, int32_t width) {
  // That of TurboJPEG (tjBufSize): with 4:2:0, three bytes for each pixel of whole 16 x 16 blocks, and the header.
  return (((size_t)height + 15) & ~(size_t)15) * (((size_t)width + 15) & ~(size_t)15) * 3 + 2048;
}

int cjpeg_encode(const uint8_t *pixels, int32_t height, int32_t width, int32_t grey, int32_t quality, uint8_t *out, size_t capacity,
                 size_t *size, char message[CJPEG_MESSAGE_SIZE]) {
  struct jpeg_compress_struct info;
  failing_manager manager;
  memory_destination destination = {
      {.init_destination = start_output, .empty_output_buffer = outgrown, .term_destination = end_output}, out, capacity};
  memset(&info, 0, sizeof info);
  info.err = prepare(&manager, message);
  if (setjmp(manager.escape)) {
    jpeg_destroy_compress(&info);
    return manager.outcome;
  }
  jpeg_create_compress(&info);
  info.dest = &destination.base;
  info.image_width = (JDIMENSION)width;
  info.image_height = (JDIMENSION)height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info); // YCbCr, 4:2:0, the accurate integer transform
  if (grey) jpeg_set_colorspace(&info, JCS_GRAYSCALE);
  jpeg_set_quality(&info, quality, TRUE);
  info.optimize_coding = TRUE;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    // Only read; libjpeg's type does not say so.
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)width * 3 * info.next_scanline);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  *size = capacity - destination.base.free_in_buffer;
  jpeg_destroy_compress(&info);
  return 0;
}
