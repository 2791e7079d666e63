InspectTool.start()
