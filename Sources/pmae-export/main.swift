ExportTool.start()
