EvaluateTool.start()
