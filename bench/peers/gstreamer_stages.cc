// GStreamer: fakesrc → a filter that upper-cases in place → fakesink, in one thread, no queue between them. Nothing is copied.
//
//   gstreamer_stages SIZE COUNT 1
//
// fakesrc makes buffers of its own pattern, so this source does less than the others'.
#include <gst/gst.h>

#include "bench/peers/work.h"
#include <gst/base/gstbasetransform.h>

// GStreamer's types are registered by macros that want these names and this layout.
struct TorvynUpper {
  GstBaseTransform base;
  torvyn::peers::Total* total;
};
struct TorvynUpperClass {
  GstBaseTransformClass base;
};
G_DEFINE_TYPE(TorvynUpper, torvyn_upper, GST_TYPE_BASE_TRANSFORM)

namespace {

GstFlowReturn upper_in_place(GstBaseTransform* transform, GstBuffer* buffer) {
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READWRITE) == FALSE) return GST_FLOW_ERROR;
  upper(map.data, map.size);
  torvyn::peers::Total& total = *reinterpret_cast<TorvynUpper*>(transform)->total;
  ++total.elements;
  total.bytes += map.size;
  ++total.upper;  // the pattern has no letters to look at
  gst_buffer_unmap(buffer, &map);
  return GST_FLOW_OK;
}

}  // namespace

static void torvyn_upper_class_init(TorvynUpperClass* type) {
  GstElementClass* const element = GST_ELEMENT_CLASS(type);
  gst_element_class_set_static_metadata(element, "upper", "Filter", "Makes ASCII letters upper case", "Torvyn");
  for (const auto& [name, direction] : {std::pair("sink", GST_PAD_SINK), std::pair("src", GST_PAD_SRC)})
    gst_element_class_add_pad_template(element, gst_pad_template_new(name, direction, GST_PAD_ALWAYS, GST_CAPS_ANY));
  GST_BASE_TRANSFORM_CLASS(type)->transform_ip = upper_in_place;
}

static void torvyn_upper_init(TorvynUpper* filter) { gst_base_transform_set_in_place(&filter->base, TRUE); }

int main(int argc, char** argv) {
  const torvyn::peers::Task task = torvyn::peers::read_task(argc, argv);
  gst_init(nullptr, nullptr);
  torvyn::peers::Total total;

  GstElement* const pipeline = gst_pipeline_new(nullptr);
  GstElement* const source = gst_element_factory_make("fakesrc", nullptr);
  GstElement* const filter = GST_ELEMENT(g_object_new(torvyn_upper_get_type(), nullptr));
  GstElement* const sink = gst_element_factory_make("fakesink", nullptr);
  if (source == nullptr || sink == nullptr) {
    std::fprintf(stderr, "gstreamer_stages: GStreamer's core elements are not installed\n");
    return 1;
  }
  reinterpret_cast<TorvynUpper*>(filter)->total = &total;
  g_object_set(source, "num-buffers", static_cast<gint>(task.count), "sizemax", static_cast<gint>(task.size), "silent",
               TRUE, nullptr);
  gst_util_set_object_arg(G_OBJECT(source), "sizetype", "fixed");
  gst_util_set_object_arg(G_OBJECT(source), "filltype", "nothing");
  g_object_set(sink, "sync", FALSE, "silent", TRUE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline), source, filter, sink, nullptr);
  if (gst_element_link_many(source, filter, sink, nullptr) == FALSE) {
    std::fprintf(stderr, "gstreamer_stages: the elements do not link\n");
    return 1;
  }
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* const bus = gst_element_get_bus(pipeline);
  GstMessage* const message = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool good = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  if (!good) {
    std::fprintf(stderr, "gstreamer_stages: the pipeline failed\n");
    return 1;
  }
  print(total);
  return 0;
}
